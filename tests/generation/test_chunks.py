"""One chunk: clean overlap at every step, keyed noise, guidance, cancel."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from arlon_core.generation.chunks import (
    Cancelled,
    ChunkTask,
    chunk_timesteps,
    chunk_velocity,
    denoise_chunk,
    frame_mask,
    start_latents,
)
from arlon_core.generation.events import StepDone
from arlon_core.generation.noise import chunk_noise
from arlon_core.generation.plan import ChunkPlan
from arlon_core.generation.report import RenderReport
from arlon_core.models.rectified_flow import sample

CPU = torch.device("cpu")


@pytest.fixture
def make_task(tiny_pipeline) -> Callable[..., ChunkTask]:
    def build(
        overlap: int = 2, new: int = 3, *, guidance_scale: float = 1.0, steps: int = 3, seed: int = 1
    ) -> ChunkTask:
        channels, height, width = tiny_pipeline.latent_size
        generator = torch.Generator().manual_seed(0)
        return ChunkTask(
            plan=ChunkPlan(segment=2, index=1, start=10, stop=10 + new, overlap=overlap),
            text=tiny_pipeline.encode_prompt("A red balloon rises."),
            coarse=torch.randn(channels, overlap + new, height, width, generator=generator),
            overlap=torch.randn(channels, overlap, height, width, generator=generator).half(),
            seed=seed,
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
        )

    return build


def run(pipe, task: ChunkTask, cancel: Callable[[], bool] = lambda: False) -> tuple[list[StepDone], Tensor]:
    events, steps = denoise_chunk(pipe, task, start_latents(pipe, task), RenderReport(CPU), cancel), []
    while True:
        try:
            steps.append(next(events))
        except StopIteration as stop:
            return steps, stop.value


def test_a_step_is_told_for_each_and_only_new_latents_come_out(tiny_pipeline, make_task):
    steps, latents = run(tiny_pipeline, make_task(overlap=2, new=3))
    assert [(event.segment, event.chunk, event.step, event.steps) for event in steps] == [
        (2, 1, i, 3) for i in (1, 2, 3)
    ]
    assert latents.shape == (tiny_pipeline.latent_size[0], 3, *tiny_pipeline.latent_size[1:])
    assert latents.dtype == torch.float16
    assert latents.isfinite().all()


def test_it_starts_from_the_overlap_and_keyed_noise(tiny_pipeline, make_task, monkeypatch):
    task = make_task(overlap=2, new=3, seed=9)
    for sigma in (1.0, 0.5):
        monkeypatch.setattr(tiny_pipeline.scheduler, "init_noise_sigma", sigma)
        latents = start_latents(tiny_pipeline, task)
        assert torch.equal(latents[0, :, :2], task.overlap.float())
        assert torch.equal(latents[0, :, 2:], sigma * chunk_noise((4, 3, *latents.shape[3:]), 9, 2, 1))
    assert frame_mask(task, CPU).tolist() == [[0, 0, 1, 1, 1]]
    assert frame_mask(make_task(overlap=0), CPU) is None


@pytest.mark.parametrize(("whole_steps", "order"), [(False, 2), (True, 1)])
def test_steps_look_back_unless_the_transformer_was_distilled(tiny_pipeline, make_task, whole_steps, order):
    pipe, task = copy.copy(tiny_pipeline), make_task(overlap=2, new=3)
    pipe.transformer = copy.deepcopy(tiny_pipeline.transformer)
    pipe.transformer.register_to_config(whole_steps=whole_steps)
    expected = sample(
        chunk_velocity(pipe, task),
        start_latents(pipe, task),
        chunk_timesteps(pipe, task),
        frame_mask(task, CPU),
        order=order,
    )
    assert torch.equal(run(pipe, task)[1], expected[0, :, 2:].half())


def test_the_overlap_is_clean_and_marked_at_every_step(tiny_pipeline, make_task, monkeypatch):
    task, seen = make_task(overlap=2, new=3), []
    forward = tiny_pipeline.transformer.forward

    def watched(x: Tensor, timestep: Tensor, *args, **kwargs) -> Tensor:
        seen.append((x.clone(), kwargs["x_mask"]))
        return forward(x, timestep, *args, **kwargs)

    monkeypatch.setattr(tiny_pipeline.transformer, "forward", watched)
    run(tiny_pipeline, task)
    assert len(seen) == 3
    for x, x_mask in seen:
        assert torch.equal(x[0, :, :2], task.overlap.float())
        assert x_mask.tolist() == [[False, False, True, True, True]]


def test_overlap_text_and_coarse_latents_all_count(tiny_pipeline, make_task):
    task = make_task()
    _, base = run(tiny_pipeline, task)
    others = (
        replace(task, overlap=task.overlap + 1),
        replace(task, text=tiny_pipeline.encode_prompt("A blue fox walks left.")),
        replace(task, coarse=task.coarse + 1),
        replace(task, coarse=None),
        replace(task, seed=2),
    )
    assert torch.equal(base, run(tiny_pipeline, task)[1])
    for other in others:
        assert not torch.equal(base, run(tiny_pipeline, other)[1])


def test_guidance_doubles_the_batch_only_when_asked(tiny_pipeline, make_task, monkeypatch):
    batches = []
    forward = tiny_pipeline.transformer.forward

    def watched(x: Tensor, *args, **kwargs) -> Tensor:
        batches.append(len(x))
        return forward(x, *args, **kwargs)

    monkeypatch.setattr(tiny_pipeline.transformer, "forward", watched)
    _, plain = run(tiny_pipeline, make_task())
    _, guided = run(tiny_pipeline, make_task(guidance_scale=4.0))
    assert batches == [1] * 3 + [2] * 3
    assert not torch.equal(plain, guided)


def test_guided_velocity_extrapolates_from_the_null_caption(tiny_pipeline, make_task):
    """v(s) is linear in s: v(3) = v(1) + (v(3) - v(1)), and v(2) lies in the middle."""
    latents, timestep = start_latents(tiny_pipeline, make_task()), torch.tensor([700.0])
    with torch.no_grad():
        velocity = [
            chunk_velocity(tiny_pipeline, make_task(guidance_scale=scale))(latents, timestep, None)
            for scale in (1.5, 2.0, 2.5)
        ]
    assert torch.allclose(velocity[1], (velocity[0] + velocity[2]) / 2, atol=1e-4)


def test_the_schedule_counts_the_overlap_and_never_breaks_on_short_chunks(tiny_pipeline, make_task):
    lengths = {new: chunk_timesteps(tiny_pipeline, make_task(overlap=0, new=new)) for new in (1, 3)}
    for times in lengths.values():
        assert times[0].item() == pytest.approx(1000)
        assert times.isfinite().all()
    assert (lengths[3][1:] > lengths[1][1:]).all()
    assert torch.equal(chunk_timesteps(tiny_pipeline, make_task(overlap=2, new=1)), lengths[3])


@pytest.mark.parametrize("after", [0, 1, 2])
def test_cancel_is_looked_at_before_every_step(tiny_pipeline, make_task, after: int):
    seen: list[StepDone] = []

    def follow() -> None:
        task = make_task()
        start = start_latents(tiny_pipeline, task)
        for event in denoise_chunk(tiny_pipeline, task, start, RenderReport(CPU), lambda: len(seen) >= after):
            seen.append(event)

    with pytest.raises(Cancelled):
        follow()
    assert len(seen) == after
