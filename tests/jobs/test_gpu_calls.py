"""What calls ask for: enough, never too much, and a film of any length gets done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arlon_core.generation.events import PartReady
from arlon_core.generation.plan import make_plan
from arlon_core.jobs import gpu_calls as calls
from arlon_core.jobs.gpu_calls import LONGEST, START, TARGET, Clock, Pace, Work, measured, next_call

FAST = Pace(sketch=0.03, denoise=0.001, decode=0.02)  # as if on a GPU
SLOW = Pace()


def work(*seconds: float, passes: int = 8) -> Work:
    return Work(make_plan(seconds, fps=12), passes)


def all_calls(film: Work, pace: Pace) -> list[tuple[int, int]]:
    """(chunks, seconds) of all calls when each makes what it is for."""
    left = film.all(film=True, with_animatic=True)
    asked = []
    while left.pieces:
        chunks, seconds = next_call(film, left, pace)
        asked.append((chunks, seconds))
        left = replace(left, blocks=0, previews=())
        if chunks:
            whole = {s.index for s in film.plan.segments if _end(film, s.index) <= chunks}
            left = replace(
                left,
                chunks=tuple(i for i in left.chunks if i >= chunks),
                clips=tuple(i for i in left.clips if i not in whole),
            )
    return asked


def _end(film: Work, segment: int) -> int:
    return sum(len(each.chunks) for each in film.plan.segments[: segment + 1])


def test_a_second_of_film_asks_for_seconds():
    for pace in (FAST, SLOW):
        (_, sketch), (chunks, film) = all_calls(work(1), pace)
        assert chunks == 1
        assert START < sketch <= START + 5
        assert START < film <= START + 10


@pytest.mark.parametrize("lengths", [[600.0], [4.0] * 150, [60.0] * 10], ids=["one", "many", "ten"])
@pytest.mark.parametrize("pace", [FAST, SLOW], ids=["fast", "slow"])
def test_ten_minutes_are_made_in_groups_that_fit(lengths: list[float], pace: Pace):
    film = work(*lengths)
    asked = all_calls(film, pace)
    ends = [chunks for chunks, _ in asked]
    assert ends == sorted(set(ends)), "every call gets further"
    assert ends[-1] == len(film.plan.chunks)
    assert all(START < seconds <= LONGEST for _, seconds in asked)
    alone = [b - a == 1 for a, b in zip([0, *ends[1:]], ends[1:], strict=False)]
    assert all(s <= TARGET for (_, s), single in zip(asked[1:], alone, strict=True) if not single)
    total = sum(seconds for _, seconds in asked)
    work_seconds = pace.denoise * film.denoise(tuple(range(len(film.plan.chunks))))
    assert total < len(asked) * (START + 1) + calls.HEADROOM * (
        work_seconds + film.plan.latents * (pace.sketch + pace.decode)
    ) + len(asked)
    if pace is FAST:
        assert len(asked) <= 6


def test_guidance_and_steps_cost_what_they_cost():
    one, two = work(4, passes=8), work(4, passes=16)
    left = one.all(film=True, with_animatic=False)
    left = replace(left, blocks=0, clips=())
    pace = Pace(denoise=0.1)
    once, twice = next_call(one, left, pace), next_call(two, left, pace)
    assert once[0] == twice[0] == len(one.plan.chunks)
    assert twice[1] - START == pytest.approx(2 * (once[1] - START), abs=1)


def test_what_stands_already_is_not_asked_for():
    film = work(4, 4, 4)
    nothing = PartReady(blocks=0)
    assert next_call(film, nothing, SLOW) == (len(film.plan.chunks), START)
    edited = PartReady(blocks=0, chunks=(len(film.plan.chunks) - 1,), clips=(2,))
    chunks, seconds = next_call(film, edited, SLOW)
    everything = replace(film.all(film=True, with_animatic=False), blocks=0)
    assert chunks == len(film.plan.chunks)
    assert seconds < next_call(film, everything, SLOW)[1]


def test_the_pace_follows_what_was_measured():
    film = work(4, 4)
    before = replace(film.all(film=True, with_animatic=False), blocks=0)
    latents = sum(chunk.latents + chunk.overlap for chunk in film.plan.chunks)
    seconds = {"text": 0, "tokens": 0, "denoise": 8 * latents * 0.01, "decode": film.plan.latents * 0.1}
    report = {"seconds": {**seconds, "encode": 2.0}, "seconds_encoded_beside": 2.0}
    pace = measured(film, before, PartReady(blocks=0, report=report), Pace(denoise=0.004, decode=0.5))
    assert pace.denoise == pytest.approx(0.01), "slower at once"
    assert pace.decode == pytest.approx((0.1 + 0.5) / 2), "faster half-way"
    nothing = measured(film, PartReady(blocks=0), PartReady(blocks=0, report=report), SLOW)
    assert nothing == SLOW


def test_the_clock_stops_before_a_piece_that_will_not_fit(monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    monkeypatch.setattr(calls.time, "monotonic", lambda: now)
    clock = Clock(10)
    now += 50  # looking through the store took longer than there was
    assert not clock(), "every call makes something"
    now = 100.0
    clock = Clock(10)
    answers = []
    for _ in range(4):
        answers.append(clock())
        now += 3
    assert answers == [False, False, False, True]
