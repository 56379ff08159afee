"""Loading the frozen components that a stage stands on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan

from arlon_core.errors import ModelError


def load_frozen(cls: type[Any], folder: Path, device: torch.device, dtype: torch.dtype | None = None) -> Any:
    """A trained component in evaluation mode, without gradients.

    Raises ModelError when the folder does not hold it: stages build on one another.
    """
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"{folder} holds no trained component; train that stage first: python -m arlon_core train."
        )
    model = cls.from_pretrained(folder, dtype=dtype or torch.float32)
    return model.to(device).eval().requires_grad_(False)


def load_vae(components: Path, device: torch.device) -> AutoencoderKLWan:
    """The frozen VAE, in bf16 on a GPU, where encoding is what feeds every later stage."""
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    return load_frozen(AutoencoderKLWan, components / "vae", device, dtype)
