"""Events are values without torch, and each can be written to the journal."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

from arlon_core.generation import events
from arlon_core.generation.plan import make_plan

EXAMPLES = [
    events.Planned(make_plan([4.0], 12), ("a fox",)),
    events.Sampling(5),
    events.TokensReady(0, np.zeros((13, 28), np.int64)),
    events.AnimaticReady(0, np.zeros((2, 8, 8, 3), np.uint8), Path("a.mp4")),
    events.StepDone(0, 1, 2, 8, np.zeros((2, 8, 8, 3), np.uint8)),
    events.ChunkReady(0, 1),
    events.Joining(12, 48, animatic=True),
    events.SegmentReady(0, Path("s.mp4"), 49, "abc", cached=True),
    events.FilmReady(Path("f.mp4"), {"frames": np.int64(48), "peak": 1.5}, Path("f.srt")),
    events.PartReady(2, (0, 1), (3,), (1,), {"steps": 8}, {"frames": np.int64(48)}),
    events.WarningRaised("a word is unknown."),
    events.Failed("the disk is full."),
]


def test_there_is_an_example_of_every_event():
    kinds = {
        kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)
    }
    assert {type(event) for event in EXAMPLES} == kinds - {events.Event}


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_an_event_is_frozen_and_has_a_plain_record(event: events.Event):
    record = json.loads(json.dumps(events.event_record(event), allow_nan=False))
    assert record["event"] == type(event).__name__
    assert "..." not in str(record)
    with pytest.raises(FrozenInstanceError):
        event.extra = 1  # type: ignore[attr-defined]


def test_pictures_do_not_stand_in_the_way_of_comparing():
    picture = np.zeros((1, 2, 2, 3), np.uint8)
    assert events.StepDone(0, 0, 1, 2, picture) == events.StepDone(0, 0, 1, 2, None)
    assert events.event_record(events.StepDone(0, 0, 1, 2, picture))["preview"] == {
        "shape": [1, 2, 2, 3],
        "dtype": "uint8",
    }
