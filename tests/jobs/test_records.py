"""A request survives JSON, and a bad one is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arlon_core.errors import ArlonError
from arlon_core.jobs import JobRequest, JobState
from arlon_core.story import Segment, Story

STORY = Story(
    (Segment("A fox.", 2.5, 9), Segment("Then night falls.")), title="The fox", style="calm", seed=3
)
REQUEST = JobRequest("render", STORY, Path("projects/fox"), steps=8, guidance=1.5, chunk=6)


@pytest.mark.parametrize("request_", [REQUEST, JobRequest("animatic", STORY, Path("p"))])
def test_a_request_survives_json(request_: JobRequest):
    assert JobRequest.from_dict(json.loads(json.dumps(request_.to_dict()))) == request_


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "paint"},
        {"project": 3},
        {"project": ""},
        {"steps": 2.5},
        {"steps": True},
        {"chunk": 2.5},
        {"guidance": "much"},
        {"story": {"segments": []}},
        {"story": None},
        {"colour": "red"},
    ],
    ids=lambda change: "-".join(f"{key}={value}" for key, value in change.items()),
)
def test_a_bad_request_is_refused_in_one_sentence(change: dict):
    with pytest.raises(ArlonError) as caught:
        JobRequest.from_dict({**REQUEST.to_dict(), **change})
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith((".", '"'))


@pytest.mark.parametrize("key", ["kind", "story", "project"])
def test_what_is_missing_is_named(key: str):
    values = REQUEST.to_dict()
    del values[key]
    with pytest.raises(ArlonError, match=f'no "{key}"'):
        JobRequest.from_dict(values)


def test_states_that_end():
    assert {state for state in JobState if not state.ended} == {JobState.QUEUED, JobState.RUNNING}
