"""ArlonPipeline: the components of one model, loaded, saved and used stage by stage.

Shapes: T latent frames on a grid of h x w with C channels; n latent frames are 4n-3 video frames; L text
items of width D; S fine tokens in a latent frame. Latents are normalised everywhere outside the VAE.

The stages are small methods; the loops over segments and chunks live in `arlon_core.generation`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from diffusers import AutoencoderKLWan, DiffusionPipeline
from diffusers import __version__ as diffusers_version
from diffusers.utils import logging as diffusers_logging
from torch import Tensor
from transformers import PreTrainedTokenizerFast, T5EncoderModel
from transformers.utils import logging as transformers_logging

from arlon_core import models
from arlon_core.errors import ModelError
from arlon_core.generation.model_folder import (
    INDEX,
    PIPELINE_CLASS,
    check_components,
    check_model_folder,
    incomplete_sentence,
    is_local,
)
from arlon_core.models.attribute_reader import AttributeReader
from arlon_core.models.folders import MAX_SHARD_SIZE, tidy
from arlon_core.models.latent_vqvae import LatentVQVAE
from arlon_core.models.memory_layout import lay_channels_last, own_memory
from arlon_core.models.preview_decoder import PreviewDecoder
from arlon_core.models.rectified_flow import RectifiedFlowScheduler
from arlon_core.models.stdit import STDiT3
from arlon_core.models.text_encoder import encode_texts
from arlon_core.models.token_transformer import TokenTransformer
from arlon_core.presets import Preset

COMPONENTS: dict[str, type[Any]] = {
    "tokenizer": PreTrainedTokenizerFast,
    "text_encoder": T5EncoderModel,
    "attribute_reader": AttributeReader,
    "token_transformer": TokenTransformer,
    "latent_vqvae": LatentVQVAE,
    "preview_decoder": PreviewDecoder,
    "transformer": STDiT3,
    "vae": AutoencoderKLWan,
    "scheduler": RectifiedFlowScheduler,
}

DEFAULT_STEPS = 4
DEFAULT_TOKEN_GUIDANCE = 1.5  # films obey better (docs/experiments.md)


@dataclass(frozen=True)
class PromptStates:
    """One text, encoded by itself, so that no other text of the story can change a bit of it."""

    states: Tensor  # (1, L, D) fp32, padded to the longest allowed
    mask: Tensor  # (1, L), 1 for text and 0 for padding

    @property
    def items(self) -> Tensor:
        """The states without padding: (true length, D)."""
        return self.states[0, : int(self.mask.sum())]


class ArlonPipeline(DiffusionPipeline):
    """A complete ARLON in the diffusers folder layout.

    fps, height, width: of the video. overlap, max_new: clean and new latent frames of a chunk. A component
    that is not trained yet is None; using it raises ModelError. The defaults of sampling belong to the model:
    whoever trains it sets them.
    """

    _optional_components = list(COMPONENTS)  # noqa: RUF012 (diffusers reads this name from the class)
    model_cpu_offload_seq = "text_encoder->token_transformer->latent_vqvae->transformer->vae"

    load_seconds: float = 0.0
    name: str = "in memory"

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        text_encoder: T5EncoderModel,
        attribute_reader: AttributeReader,
        token_transformer: TokenTransformer,
        latent_vqvae: LatentVQVAE,
        preview_decoder: PreviewDecoder,
        transformer: STDiT3,
        vae: AutoencoderKLWan,
        scheduler: RectifiedFlowScheduler,
        fps: int = 12,
        height: int = 256,
        width: int = 448,
        overlap: int = 4,
        max_new: int = 12,
        num_inference_steps: int = DEFAULT_STEPS,
        guidance_scale: float = 1.0,
        token_guidance_scale: float = DEFAULT_TOKEN_GUIDANCE,
        token_temperature: float = 1.0,
        token_top_k: int = 0,
        token_top_p: float = 1.0,
    ) -> None:
        super().__init__()
        self.register_modules(
            tokenizer=tokenizer,
            text_encoder=text_encoder,
            attribute_reader=attribute_reader,
            token_transformer=token_transformer,
            latent_vqvae=latent_vqvae,
            preview_decoder=preview_decoder,
            transformer=transformer,
            vae=vae,
            scheduler=scheduler,
        )
        self.register_to_config(
            fps=fps,
            height=height,
            width=width,
            overlap=overlap,
            max_new=max_new,
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            token_guidance_scale=token_guidance_scale,
            token_temperature=token_temperature,
            token_top_k=token_top_k,
            token_top_p=token_top_p,
        )
        self._fingerprints: dict[str, str] = {}

    # -- loading ----------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls,
        model: str | Path,
        device: str = "auto",
        exchanged: Mapping[str, Path] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Load a pipeline folder or a hub id onto a device, ready to render.

        device: "auto" (a GPU where there is one), "cpu" or "cuda". DiT, VAE and preview decoder run in bf16
        where that is fast, everything else in fp32. exchanged: folders of components that take the place of
        the model's own, as experiments compare them. kwargs go to diffusers.
        Raises ModelError, in one sentence, when the folder is missing, foreign, incomplete or damaged.
        """
        started = time.perf_counter()
        target = choose_device(device)
        if is_local(model):
            check_model_folder(Path(model))
        fast = fast_dtype(target)
        in_fast = dict.fromkeys(("transformer", "vae", "preview_decoder"), fast)
        kwargs.setdefault("dtype", {**in_fast, "default": torch.float32})
        exchanged = exchanged or {}
        check_components(exchanged)
        try:
            with quiet_libraries():
                for name, folder in exchanged.items():
                    dtype = fast if name in in_fast else torch.float32
                    kwargs[name] = COMPONENTS[name].from_pretrained(folder, dtype=dtype)
                pipe = super().from_pretrained(str(model), **kwargs).to(target)
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, ImportError) as error:
            reason = " ".join(str(error).split())[:200]
            sentence = f"{model} cannot be loaded as an ARLON model ({reason}); give --model another."
            raise ModelError(sentence) from error
        for component in COMPONENTS:
            part = getattr(pipe, component)
            if isinstance(part, torch.nn.Module):
                part.eval().requires_grad_(False)
                own_memory(part)
                lay_channels_last(part)
        pipe.name = "+".join([str(model), *(folder.name for folder in exchanged.values())])
        pipe.load_seconds = time.perf_counter() - started
        return pipe

    def save_pretrained(self, folder: str | Path, **kwargs: Any) -> None:  # type: ignore[override]
        """Write the pipeline folder: sharded safetensors, readable by everyone, free of local paths."""
        kwargs.setdefault("max_shard_size", MAX_SHARD_SIZE)
        with quiet_libraries():
            super().save_pretrained(str(folder), **kwargs)
        tidy(Path(folder))

    def require(self, *names: str) -> None:
        """Raises ModelError when some of these components are not trained yet."""
        missing = [name for name in names if getattr(self, name) is None]
        if missing:
            raise ModelError(incomplete_sentence(self.name, missing))

    def register_modules(self, **kwargs: Any) -> None:
        """As in diffusers, but our own classes are noted under `arlon_core.models`, not under their files."""
        super().register_modules(**kwargs)
        for name, component in kwargs.items():
            if component is not None and type(component).__module__.startswith(models.__name__ + "."):
                self.register_to_config(**{name: (models.__name__, type(component).__name__)})

    # -- facts ------------------------------------------------------------------------------------------

    @property
    def latent_size(self) -> tuple[int, int, int]:
        """Channels, rows and columns of a latent frame."""
        scale = self.vae.config.scale_factor_spatial
        return self.vae.config.z_dim, self.config.height // scale, self.config.width // scale

    @property
    def codes_per_frame(self) -> int:
        """Tokens of the latent VQ-VAE in a latent frame."""
        _, rows, columns = self.latent_size
        config = self.latent_vqvae.config
        return (rows // config.token_height) * (columns // config.token_width)

    @property
    def text_items(self) -> int:
        """The longest text, in tokens; what is longer is cut, as in training."""
        return self.tokenizer.model_max_length

    @property
    def known_words(self) -> frozenset[str]:
        """The words that the text encoder was trained on; none when the tokenizer carries no list of them."""
        carried = {} if self.tokenizer is None else self.tokenizer.init_kwargs
        return frozenset(carried.get("known_words") or ())

    @property
    def working_device(self) -> torch.device:
        """Where the components compute."""
        for name in COMPONENTS:
            part = getattr(self, name)
            if isinstance(part, torch.nn.Module):
                return torch.device(str(part.device))
        return torch.device("cpu")

    @property
    def working_dtype(self) -> torch.dtype:
        """What DiT and VAE compute in."""
        return self.transformer.dtype if self.transformer is not None else torch.float32

    def fingerprint(self, name: str) -> str:
        """A hash of everything in one component that its results depend on: class, configuration, weights."""
        if name not in self._fingerprints:
            self._fingerprints[name] = _fingerprint(getattr(self, name))
        return self._fingerprints[name]

    # -- stages -----------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode_prompt(self, text: str) -> PromptStates:
        """The text encoder's states of one text."""
        self.require("tokenizer", "text_encoder")
        states, mask = encode_texts(self.tokenizer, self.text_encoder, [text], max_length=self.text_items)
        return PromptStates(states.float(), mask)

    @torch.no_grad()
    def is_full(self, prompts: Sequence[str]) -> list[bool]:
        """Whether each prompt describes the whole picture, or only a change; the first always counts as full.

        Without an attribute reader every prompt counts as full (our choice).
        """
        if self.attribute_reader is None:
            return [True] * len(prompts)
        full = [True]
        for prompt in prompts[1:]:
            encoded = self.encode_prompt(prompt)
            full.append(bool(self.attribute_reader.is_full(encoded.states, encoded.mask).item()))
        return full


# -- folders --------------------------------------------------------------------------------------------


def assemble(folder: Path, preset: Preset, **defaults: Any) -> None:
    """Write the index of a folder whose components training wrote one by one; the scheduler has no weights.

    A component that is not there yet is noted as absent. defaults: sampling defaults of the pipeline, such as
    ``num_inference_steps``; those of an earlier index stay where none is given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scheduler = RectifiedFlowScheduler(
        init_noise_sigma=preset.init_noise_sigma, solver_order=preset.solver_order
    )
    scheduler.save_pretrained(folder / "scheduler")
    index: dict[str, Any] = {"_class_name": PIPELINE_CLASS, "_diffusers_version": diffusers_version}
    for name, cls in COMPONENTS.items():
        there = any((folder / name).glob("*.json"))
        # The tokenizer's class has another name inside transformers than the one it is had by.
        named = "PreTrainedTokenizerFast" if name == "tokenizer" else cls.__name__
        index[name] = [_library(cls), named] if there else [None, None]
    grid = ("fps", "height", "width", "overlap", "max_new")
    values = {key: getattr(preset, key) for key in grid}
    path = folder / INDEX
    if path.is_file():
        before = json.loads(path.read_text())
        sampling = ("num_inference_steps", "guidance_scale", "token_")
        values |= {key: before[key] for key in before if key.startswith(sampling) and key not in COMPONENTS}
    path.write_text(json.dumps({**index, **values, **defaults}, indent=2) + "\n")


def _library(cls: type[Any]) -> str:
    """A class's home in model_index.json: the library, or `arlon_core.models` for all our own."""
    top = cls.__module__.split(".")[0]
    return top if top in ("diffusers", "transformers") else models.__name__


# -- devices and precision ------------------------------------------------------------------------------


def choose_device(name: str) -> torch.device:
    """`auto` is the GPU where there is one. Raises ModelError for `cuda` without a GPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError("there is no CUDA GPU that torch can use here; give --device cpu, or auto.")
    return torch.device(name)


def fast_dtype(device: torch.device) -> torch.dtype:
    """bf16 on a GPU and on CPUs that multiply it in hardware, else fp32."""
    if device.type == "cuda":
        return torch.bfloat16
    able = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if able else torch.float32


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """No progress bars and notes of the libraries: loading and saving are ours to report."""
    bars = transformers_logging.is_progress_bar_enabled()
    levels = diffusers_logging.get_verbosity(), transformers_logging.get_verbosity()
    diffusers_bars = diffusers_logging.is_progress_bar_enabled()
    for logs in (diffusers_logging, transformers_logging):
        logs.set_verbosity_error()
        logs.disable_progress_bar()
    try:
        yield
    finally:
        diffusers_logging.set_verbosity(levels[0])
        transformers_logging.set_verbosity(levels[1])
        if bars:
            transformers_logging.enable_progress_bar()
        if diffusers_bars:
            diffusers_logging.enable_progress_bar()


def _fingerprint(component: Any) -> str:
    digest = hashlib.blake2b(type(component).__name__.encode(), digest_size=16)
    config = getattr(component, "config", None)
    if config is not None:
        values = config.to_dict() if hasattr(config, "to_dict") else dict(config)
        plain = {key: value for key, value in values.items() if not key.startswith("_")}
        digest.update(json.dumps(plain, sort_keys=True, default=str).encode())
    if isinstance(component, PreTrainedTokenizerFast):
        # Padding and truncation are what the last call asked for, and no part of what the tokenizer is.
        values = json.loads(component.backend_tokenizer.to_str()) | {"padding": None, "truncation": None}
        digest.update(json.dumps(values, sort_keys=True).encode())
    if isinstance(component, torch.nn.Module):
        for name, tensor in sorted(component.state_dict().items()):
            digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
