"""The stages, a file each, and the table that finds them by name."""

from __future__ import annotations

from importlib import import_module

from arlon_core.training.arms import DIT_ARMS
from arlon_core.training.stage import Stage

_STAGE_CLASSES = {
    "text": ("text", "TextStage"),
    "vae": ("vae", "VAEStage"),
    "preview": ("preview", "PreviewStage"),
    "vqvae": ("vqvae", "VQVAEStage"),
    "vqvae-coarse": ("vqvae", "CoarseVQVAEStage"),
    "ar": ("ar", "ARStage"),
    **{
        name: ("distil", "DistilStage") if arm.distils else ("dit", "DiTStage")
        for name, arm in DIT_ARMS.items()
    },
    "judge": ("judge", "JudgeStage"),
    "judge-report": ("judge", "ReportJudgeStage"),
}


def stage_class(name: str) -> type[Stage]:
    """The class that trains the stage `name` (one of `training.config.STAGES`)."""
    module, cls = _STAGE_CLASSES[name]
    return getattr(import_module(f"arlon_core.training.stages.{module}"), cls)
