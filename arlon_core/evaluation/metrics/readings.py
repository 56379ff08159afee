"""What a judge reads in the last third of a segment, against what the script says.

Shapes: W windows of one segment. Labels are class indices, NOT_ASKED where nothing can be seen.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from arlon_core.world.legibility import NOT_ASKED

# What overall consistency asks for, and the part of it that only time shows.
TEMPORAL = ("action", "camera")


def right(probabilities: Mapping[str, np.ndarray], labels: Mapping[str, int]) -> dict[str, bool]:
    """For each attribute that is asked: whether the segment's windows, taken together, are read as the script
    says. probabilities: attribute -> (W, classes).
    """
    return {
        name: int(each.mean(0).argmax()) == labels[name]
        for name, each in probabilities.items()
        if labels[name] != NOT_ASKED
    }


def share_right(probabilities: np.ndarray, label: int) -> float:
    """The share of windows (W, classes) read right: scene for the place, object class for the subject."""
    return float((probabilities.argmax(1) == label).mean())


def agreement(
    probabilities: Mapping[str, np.ndarray], labels: Mapping[str, int], names: tuple[str, ...]
) -> float | None:
    """The mean probability that the judge gives to what the script says: over windows, and over those of
    `names` that are asked. None when none is.
    """
    asked = [name for name in names if labels[name] != NOT_ASKED]
    if not asked:
        return None
    return float(np.mean([probabilities[name][:, labels[name]].mean() for name in asked]))
