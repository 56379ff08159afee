"""What a film costs with F and without, at several step counts: seconds and FLOPs by stage, all in one run.

Both arms render the same story with the same plan and noise; the one without F samples no tokens. Machines
stall, so seconds are compared only inside a round, which renders every case once: each round begins elsewhere
in the list, every second one goes through it backwards, and what is told are medians over the rounds.
FLOPs are counted in a round of their own, the first, which also warms the machine up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from arlon_core.errors import ArlonError
from arlon_core.evaluation.processor import processor_name
from arlon_core.evaluation.stage_flops import StageFlops
from arlon_core.generation.model_folder import NEEDS
from arlon_core.generation.render import FilmOptions, whole_film
from arlon_core.generation.report import (
    STAGES,
    RenderReport,
    code_commit,
    device_name,
    peak_device_memory_gb,
    peak_memory_gb,
)
from arlon_core.generation.request import Request, make_request
from arlon_core.generation.session import open_session
from arlon_core.store import environment_record
from arlon_core.story import DEFAULT_SECONDS, Segment, Story, format_story

if TYPE_CHECKING:
    from arlon_core.pipeline import ArlonPipeline

MEASURED = tuple(stage for stage in STAGES if stage != "load")
_PROMPTS = (
    "A red hot-air balloon rises over green hills at dawn.",
    "The sun climbs and the balloon drifts right over the sea.",
    "Night falls and snow begins to fall.",
)

Progress = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """One way to render the film."""

    use_coarse: bool
    steps: int

    @property
    def arm(self) -> str:
        return "with F" if self.use_coarse else "without F"


@dataclass(frozen=True)
class Cost:
    """Seconds of one render. by_stage: as in `render --report`; total: what it took, as encoding goes on
    beside the rest."""

    by_stage: Mapping[str, float]
    total: float


@dataclass(frozen=True)
class Efficiency:
    """What was measured. rounds: the cost of every case, round by round; flops: of every case, by stage."""

    settings: Mapping[str, Any]
    seconds_of_video: float
    cases: tuple[Case, ...]
    flops: Mapping[Case, Mapping[str, int]]
    rounds: tuple[Mapping[Case, Cost], ...]

    @property
    def baseline(self) -> Case:
        """What time saved is counted from: the arm without F at the most steps (the paper's: 30)."""
        return max((case for case in self.cases if not case.use_coarse), key=lambda case: case.steps)


def bench_story(seconds: float) -> Story:
    """The same story every time, in segments of about 4 s. Raises StoryError if none has that length."""
    count = max(1, round(seconds / DEFAULT_SECONDS))
    segments = (Segment(_PROMPTS[i % len(_PROMPTS)], seconds / count) for i in range(count))
    return Story(tuple(segments), title="Bench")


def cases_of(steps: Sequence[int]) -> tuple[Case, ...]:
    """Both arms at each step count, in the order of the counts."""
    return tuple(Case(arm, number) for number in sorted(set(steps)) for arm in (True, False))


def in_order(cases: Sequence[Case], number: int) -> list[Case]:
    """The cases in the order of round `number`, so that no case always comes first or after the same one."""
    start = number * len(cases) // 3 % len(cases)
    turned = [*cases[start:], *cases[:start]]
    return turned[::-1] if number % 2 else turned


def measure_efficiency(
    pipe: ArlonPipeline,
    story: Story,
    steps: Sequence[int],
    repeats: int,
    *,
    guidance: float | None = None,
    progress: Progress = lambda: None,
) -> Efficiency:
    """Render `story` with F and without at each of `steps`, once to count and `repeats` times to time.

    guidance: of both arms, by default the model's own. progress: called after each of these (1 + repeats) *
    2 * len(set(steps)) renders. Raises ArlonError.
    """
    if repeats < 1:
        raise ArlonError(f"a median of {repeats} renders says nothing; give at least 1.")
    pipe.require(*NEEDS["render"])
    cases = cases_of(steps)
    # Planning reads the prompts too, to find which are full descriptions: here, and not in the seconds.
    requests = {
        case: make_request(pipe, story, steps=case.steps, guidance=guidance, use_coarse=case.use_coarse)
        for case in cases
    }
    flops: dict[Case, Mapping[str, int]] = {}
    for case in cases:
        counted = StageFlops(pipe.working_device)
        _render(pipe, requests[case], counted)
        flops[case] = {stage: counted.flops[stage] for stage in MEASURED}
        progress()
    rounds = []
    for number in range(repeats):
        costs: dict[Case, Cost] = {}
        for case in in_order(cases, number):
            costs[case] = _render(pipe, requests[case], RenderReport(pipe.working_device))
            progress()
        rounds.append(costs)
    plan = requests[cases[0]].plan
    settings = _settings(pipe, requests[cases[0]])
    return Efficiency(settings, plan.seconds, cases, flops, tuple(rounds))


def _render(pipe: ArlonPipeline, request: Request, report: RenderReport) -> Cost:
    """Render a film from nothing to nowhere, as `arlon_core.render` does, and give what it cost."""
    options = FilmOptions(None, None, with_animatic=False, cuda_graph=not isinstance(report, StageFlops))
    with open_session(pipe, request, None, None) as session:
        session.report = report
        for _ in whole_film(session, options):
            pass
    seconds = {stage: report.seconds[stage] for stage in MEASURED}
    return Cost(seconds, sum(seconds.values()) - report.beside)


def _settings(pipe: ArlonPipeline, request: Request) -> dict[str, Any]:
    """All that the numbers depend on, as plain JSON values."""
    config, plan, device = pipe.config, request.plan, pipe.working_device
    dtype = str(pipe.working_dtype).removeprefix("torch.")
    return {
        "model": pipe.name,
        "commit": code_commit(),
        "processor": processor_name(),
        **environment_record(device_name(device), dtype, torch.get_num_threads()),
        "height": config.height,
        "width": config.width,
        "fps": plan.fps,
        "frames": plan.frames,
        "latent_frames": plan.latents,
        "chunks": [chunk.latents for chunk in plan.chunks],
        "guidance_scale": request.guidance_scale,
        "token_guidance_scale": request.sampling.guidance_scale,
        "story": format_story(request.story),
        "peak_memory_gb": round(peak_memory_gb(), 3),
        "peak_device_memory_gb": round(peak_device_memory_gb(device), 3),
    }
