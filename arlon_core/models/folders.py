"""Writing components into a pipeline folder: small shards, no pickle, readable by everyone."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from arlon_core.errors import ModelError

# A plain git push to the hub refuses files of 10 MB.
MAX_SHARD_SIZE = "8.5MB"


def save_component(component: Any, folder: Path, dtype: torch.dtype | None = torch.bfloat16) -> None:
    """Save a diffusers or transformers model into `folder` as sharded safetensors in `dtype`.

    The module itself keeps its precision; what lay in the folder is replaced. `dtype=None` keeps
    each tensor's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.safetensors*"):
        old.unlink()
    copied = copy.deepcopy(component).cpu()
    if dtype is not None:
        # Not diffusers' own `to`, which warns of layers to keep in fp32 where there are none.
        torch.nn.Module.to(copied, dtype)
    for tensor in copied.state_dict().values():
        tensor.data = tensor.data.contiguous()  # safetensors keeps no other layout
    copied.save_pretrained(folder, max_shard_size=MAX_SHARD_SIZE)
    tidy(folder)


def tidy(folder: Path) -> None:
    """Files readable by everyone (safetensors writes 0600), and configurations free of local paths."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
        if path.name in ("config.json", "model_index.json", "tokenizer_config.json"):
            config = json.loads(path.read_text())
            if config.pop("_name_or_path", None) is not None:
                path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def load_weights_into(component: torch.nn.Module, folder: Path) -> None:
    """Copy the safetensors of `folder` into a module of the same shape, whatever their dtype.

    Raises ModelError when the folder holds none, or when names or shapes differ.
    """
    state: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        state.update(load_file(path))
    if not state:
        raise ModelError(f"{folder} holds no .safetensors weights; name the folder of one component.")
    try:
        component.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise ModelError(
            f"{folder} does not fit this model: {str(error).splitlines()[-1].strip()}"
        ) from error
    missing = [name for name, _ in component.named_parameters() if name not in state]
    if len(missing) > len(state):
        raise ModelError(f"{folder} holds other weights than this model has; it lacks {missing[0]!r}.")
