"""The networks and the small pure functions beside them.

The component classes are had from here by name, when first asked for: `model_index.json` of a pipeline
folder says ["arlon_core.models", "STDiT3"], whatever file the class lives in. diffusers then looks for the
base classes in the same place, to know how to load and save a component, so these are here too.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "AttributeReader": "arlon_core.models.attribute_reader",
    "LatentVQVAE": "arlon_core.models.latent_vqvae",
    "PreviewDecoder": "arlon_core.models.preview_decoder",
    "RectifiedFlowScheduler": "arlon_core.models.rectified_flow",
    "STDiT3": "arlon_core.models.stdit",
    "TokenTransformer": "arlon_core.models.token_transformer",
    "ModelMixin": "diffusers",
    "SchedulerMixin": "diffusers",
    "PreTrainedModel": "transformers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
