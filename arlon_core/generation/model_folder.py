"""A pipeline folder, looked at without torch: is it there, is it ours, is it whole?

Reading a broken folder fails deep inside the libraries with messages that name neither file nor mend, so the
folder is checked first. It costs a few file headers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arlon_core.errors import ModelError

INDEX = "model_index.json"
PIPELINE_CLASS = "ArlonPipeline"
MAX_HEADER_BYTES = 100 * 2**20
# What each kind of film cannot do without, and the training stage that writes it.
_TOKENS = ("tokenizer", "text_encoder", "token_transformer", "latent_vqvae")
NEEDS: dict[str, tuple[str, ...]] = {
    "animatic": (*_TOKENS, "preview_decoder"),
    "render": (*_TOKENS, "transformer", "vae", "scheduler"),
}
STAGES = {
    "tokenizer": "text",
    "text_encoder": "text",
    "attribute_reader": "text",
    "vae": "vae",
    "preview_decoder": "preview",
    "latent_vqvae": "vqvae",
    "token_transformer": "ar",
    "transformer": "dit",
    "scheduler": "dit",
}


def is_local(model: str | Path) -> bool:
    """Whether `model` names a folder of this machine; else it can only be a hub id such as `owner/name`."""
    text = str(model)
    parts = text.split("/")
    hub_like = len(parts) == 2 and all(parts) and not text.startswith((".", "~"))
    return Path(model).exists() or not hub_like


def check_model_folder(folder: Path) -> dict[str, Any]:
    """The index of a pipeline folder whose files are all there and of full length.

    Raises ModelError naming the file and the mend.
    """
    if not folder.exists():
        raise ModelError(f"{folder} does not exist; give --model a pipeline folder or a hub id.")
    if not folder.is_dir():
        raise ModelError(f"{folder} is a file; give --model the folder that holds {INDEX}.")
    if not (folder / INDEX).is_file():
        raise ModelError(f"{folder} holds no {INDEX}, so it is no model folder; give --model another one.")
    index = _read_json(folder / INDEX)
    if index.get("_class_name") != PIPELINE_CLASS:
        found = index.get("_class_name", "nothing known")
        raise ModelError(f"{folder} holds {found}, which is not an ARLON model; give --model another folder.")
    for name, entry in index.items():
        if not name.startswith("_") and isinstance(entry, list) and len(entry) == 2 and entry[0] is not None:
            _check_component(folder / name)
    return index


def check_components(folders: Mapping[str, Path]) -> None:
    """Single components by name, each with the folder that holds it. Raises ModelError."""
    for name, folder in folders.items():
        if name not in STAGES:
            raise ModelError(f"a model has no component {name!r}; choose one of {', '.join(STAGES)}.")
        if not (folder / "config.json").is_file():
            raise ModelError(f"{folder} holds no component; name the folder that has its config.json.")
        _check_component(folder)


def missing_components(index: Mapping[str, Any], kind: str) -> list[str]:
    """Components that a film of this kind needs (NEEDS) and a model's index notes as absent."""
    return [name for name in NEEDS[kind] if not index.get(name) or index[name][0] is None]


def incomplete_sentence(model: str | Path, missing: Sequence[str]) -> str:
    """What a model lacks and how to get it. missing: at least one name of STAGES."""
    stages = dict.fromkeys(stage for name, stage in STAGES.items() if name in missing)
    them = "it" if len(missing) == 1 else "them"
    return (
        f"the model {model} has no {' and no '.join(missing)} yet; train {them}: python -m arlon_core train "
        f"{', then train '.join(stages)}; or give --model a complete one."
    )


def _check_component(folder: Path) -> None:
    if not folder.is_dir():
        raise ModelError(f"{folder} is missing; copy the model again, or train that part.")
    for path in folder.glob("*.json"):
        value = _read_json(path)
        if path.name.endswith(".safetensors.index.json"):
            for shard in sorted(set(value.get("weight_map", {}).values())):
                if not (folder / shard).is_file():
                    raise ModelError(f"{folder / shard} is missing; copy the model again.")
    for path in folder.glob("*.safetensors"):
        _check_weights(path)


def _check_weights(path: Path) -> None:
    """A safetensors file says in its header how long it must be."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, MAX_HEADER_BYTES):
            raise _damaged(path)
        try:
            header = json.loads(file.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _damaged(path) from None
    if size != 8 + length + max(ends, default=0):
        raise _damaged(path)


def _damaged(path: Path) -> ModelError:
    hint = ""
    if path.stat().st_size < 1024 and path.read_bytes().startswith(b"version https://git-lfs"):
        hint = " (it is a git-lfs pointer, not the file)"
    return ModelError(f"{path} is damaged or cut short{hint}; copy the model again.")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ModelError(f"{path} cannot be read; copy the model again.") from None
    if not isinstance(value, dict):
        raise ModelError(f"{path} is not what a model folder holds; copy the model again.")
    return value
