"""The ways to train the diffusion transformer that experiments compare: they differ in these points alone.

A text-to-video transformer (`dit-base`) is trained first, as the paper's base model was. All others start
from its weights and train on for equal minutes: ARLON (`dit`), the same without F (`dit-text`), and ARLON
with one of its parts left out or exchanged (paper section 4.3). Two more learn to take another's steps in
fewer (`training.stages.distil`), so that both sides of a comparison can be treated alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

BASE = "transformer_base"


@dataclass(frozen=True, kw_only=True)
class DiTArm:
    """One way. component: the folder it writes, below the pipeline folder."""

    component: str
    starts_from: str | None = BASE  # the component whose weights it starts from, None from scratch
    needs_start: bool = True  # False: from scratch where that component is not there
    use_coarse: bool = True  # whether F is read at all
    coarser_tokens: bool = True  # F in part from the coarse VQ-VAE, else all from the fine one
    uncertainty_probability: float = 0.5  # share of the examples whose F has its statistics resampled
    injection_kind: str = "adaptive_norm"
    distils: bool = False  # learns from the network that it starts from, and not from the data

    def transformer(self, sizes: dict[str, Any]) -> dict[str, Any]:
        """Constructor arguments of this arm's STDiT3, from a preset's."""
        if self.distils:
            # Its teacher's text is its own, and its velocity that of a step.
            sizes = {**sizes, "class_dropout_prob": 0.0, "whole_steps": True}
        if not self.use_coarse:
            return {**sizes, "injection_adapters": 0}
        return {
            **sizes,
            "uncertainty_probability": self.uncertainty_probability,
            "injection_kind": self.injection_kind,
        }


# By the name of the training stage.
DIT_ARMS = {
    "dit-base": DiTArm(component=BASE, starts_from=None, use_coarse=False),
    "dit": DiTArm(component="transformer", needs_start=False),
    "dit-text": DiTArm(component="transformer_text", use_coarse=False),
    "dit-same-tokens": DiTArm(component="transformer_same_tokens", coarser_tokens=False),
    "dit-certain": DiTArm(component="transformer_certain", uncertainty_probability=0.0),
    "dit-mlp": DiTArm(component="transformer_mlp", injection_kind="mlp"),
    "dit-distil": DiTArm(
        component="transformer_distilled",
        starts_from="transformer",
        uncertainty_probability=0.0,
        distils=True,
    ),
    "dit-text-distil": DiTArm(
        component="transformer_text_distilled", starts_from="transformer_text", use_coarse=False, distils=True
    ),
}


def compared(stages: Sequence[str]) -> set[str]:
    """Those of the stages of one run that are set against each other: the arms, where there are several."""
    arms = {name for name in stages if name in DIT_ARMS and DIT_ARMS[name].starts_from is not None}
    return arms if len(arms) > 1 else set()


def stage_of(component: str) -> str:
    """The stage that writes a component of one of the arms."""
    return next(name for name, arm in DIT_ARMS.items() if arm.component == component)
