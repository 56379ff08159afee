"""What texts say: the class of each attribute that a reader should find in a caption (no torch)."""

from __future__ import annotations

from arlon_core.world.legibility import NOT_ASKED
from arlon_core.world.vocabulary import LABELS, Attributes, label_indices


def change_labels(before: Attributes, now: Attributes) -> dict[str, int]:
    """Of a change alone: what differs from the segment before.

    The class after an attribute's last says "not mentioned".
    """
    old, new = label_indices(before), label_indices(now)
    return {name: new[name] if new[name] != old[name] else len(LABELS[name]) for name in LABELS}


def composed_labels(described: Attributes, before: Attributes, now: Attributes) -> dict[str, int]:
    """Of a description with a change after it; NOT_ASKED for what a change in between set.

    described: what was true when the description was given.
    """
    first, old, new = label_indices(described), label_indices(before), label_indices(now)
    return {
        name: new[name] if new[name] != old[name] or new[name] == first[name] else NOT_ASKED
        for name in LABELS
    }
