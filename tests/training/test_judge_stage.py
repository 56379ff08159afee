"""What a judge is trained on: last thirds, fairly labelled, true and degraded; two judges, nothing shared."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from arlon_core.models.judge import SPAN, STRIDE, WINDOW
from arlon_core.training.config import train_config
from arlon_core.training.episodes import EpisodeSource, training_seed
from arlon_core.training.stage import Setting
from arlon_core.training.stages import judge as module
from arlon_core.training.stages import stage_class
from arlon_core.world.renderer import StoryworldRenderer
from arlon_core.world.script import sample_script

CPU = torch.device("cpu")


def make_stage(name: str, components: Path, batch_size: int = 4):
    config = train_config(name, "tiny", batch_size=batch_size)
    source = EpisodeSource(config.preset, config.pool, CPU, seed=0, rank=0)
    torch.manual_seed(0)
    return stage_class(name)(config, Setting(CPU, 0, components), source)


@pytest.mark.parametrize("which", [0.0, 0.3, 0.99])
@pytest.mark.parametrize("where", [0.0, 0.99])
def test_windows_lie_in_a_segments_last_third(which: float, where: float):
    for seed in range(60):
        script = sample_script(seed, 285, 14, 24)
        number, start = module._place(script, which, where)
        segment = script.segments[number]
        length = segment.stop_frame - segment.start_frame
        assert segment.start_frame + length * 2 / 3 - 1e-9 <= start <= segment.stop_frame - SPAN


def test_without_components_everything_is_true(tmp_path: Path):
    stage = make_stage("judge", tmp_path)
    assert stage.ways == ("true",)
    batch = stage.batch(3)
    assert batch.frames.shape == (4, WINDOW, 3, 64, 112)
    draws = torch.rand(4, 2, generator=stage.generator(3)).tolist()
    script = sample_script(training_seed(stage.config.seed, 0, 12), 285, 14, 24)
    number, start = module._place(script, *draws[0])
    drawn = StoryworldRenderer(64, 112).render([script], start, SPAN).frames[0, ::STRIDE]
    assert torch.equal(batch.frames[0], drawn)
    names = {name: int(labels[0]) for name, labels in batch.labels.items()}
    assert names == module.asked_labels(script)[number]


def first_draws(stage) -> tuple[list[int], list[list[float]]]:
    """Seeds and draws of a stage's first batch."""
    count = stage.config.batch_size
    seeds = [training_seed(stage.config.seed, 0, i) for i in range(count)]
    return seeds, torch.rand(count, 2, generator=stage.generator(0)).tolist()


@pytest.mark.slow
def test_a_share_of_each_batch_is_degraded(tiny_components: Path):
    stage = make_stage("judge", tiny_components, batch_size=8)
    assert stage.ways == ("true", "vae", "vq")
    plain = make_stage("judge", tiny_components / "nothing", batch_size=8)
    ours, true = stage.batch(0), plain.batch(0)
    same = [torch.equal(a, b) for a, b in zip(ours.frames, true.frames, strict=True)]
    assert same == [False] * 2 + [True] * 6
    assert all(torch.equal(ours.labels[name], true.labels[name]) for name in true.labels)
    # The first went through the VAE, the second through the VQ-VAE as well.
    vae_alone = stage._degraded(plain._clips(*first_draws(stage)).frames, ["vae"] * 8)
    assert torch.equal(ours.frames[0], vae_alone[0, ::STRIDE])
    assert not torch.equal(ours.frames[1], vae_alone[1, ::STRIDE])


@pytest.mark.slow
def test_degraded_windows_are_learned_from_for_some_steps_and_follow_from_the_step_alone(
    tiny_components: Path,
):
    stage = make_stage("judge", tiny_components, batch_size=16)
    batches = [stage.batch(step) for step in range(6)]
    assert {len(batch) for batch in batches} == {16}
    # Each step makes two, one of each way, and the last two of these pairs are in a batch.
    before, after = batches[4].frames, batches[5].frames
    assert torch.equal(before[2:4], after[:2])
    assert not any(torch.equal(frames, other) for frames in after[2:] for other in before)
    straight = make_stage("judge", tiny_components, batch_size=16).batch(5)
    assert torch.equal(straight.frames, after)
    assert all(torch.equal(straight.labels[name], batches[5].labels[name]) for name in straight.labels)


@pytest.mark.slow
def test_degraded_windows_are_those_of_training_also_in_an_evaluation_of_lower_precision(
    tiny_components: Path,
):
    stage = make_stage("judge", tiny_components)
    frames = stage._held_out(0, 2).frames
    trained = stage._degraded(frames, ["vae", "vq"])
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(stage._degraded(frames, ["vae", "vq"]), trained)


def test_the_two_judges_share_neither_seed_nor_architecture(tmp_path: Path):
    one, two = (make_stage(name, tmp_path) for name in ("judge", "judge-report"))
    assert one.config.seed != two.config.seed
    assert type(one.model) is not type(two.model)
    assert one.target != two.target
    assert {one.target.parent, two.target.parent} == {tmp_path.parent / "judges"}
    assert not torch.equal(one.batch(0).frames, two.batch(0).frames)


def test_a_look_at_the_subject_costs_nothing_and_one_elsewhere_much():
    masks = torch.zeros(1, 2, 32, 32, dtype=torch.uint8)
    masks[:, 0, :8, :8] = 255  # the first frame's corner; the second frame shows nothing
    at, beside = torch.zeros(2, 1, 2, 9, 4, 4)
    at[..., 0, 0], beside[..., 3, 3] = 1, 1
    assert module._look_loss(at, masks, ("subject",)).item() == pytest.approx(0, abs=1e-3)
    assert module._look_loss(beside, masks, ("subject",)).item() > 5
    half = (at + beside) / 2
    assert module._look_loss(half, masks, ("subject",)).item() == pytest.approx(0.693, abs=1e-2)
    assert module._look_loss(beside, 0 * masks, ("subject",)).item() == 0


def test_masks_are_those_of_the_frames_and_tell_the_subjects_apart(tmp_path: Path):
    stage = make_stage("judge", tmp_path, batch_size=12)
    batch = stage.batch(0)
    assert batch.main.shape == batch.second.shape == (12, WINDOW, 64, 112)
    there = batch.labels["second_subject"] != 0
    covered = (batch.second > 127).float().mean((1, 2, 3))
    assert bool(there.any())
    assert covered[there].min() > 0
    assert covered[~there].max() == 0
    assert (batch.main > 127).float().mean((1, 2, 3)).min() > 0
    assert not ((batch.main > 127) & (batch.second > 127)).any()


def test_a_batch_with_nothing_to_ask_costs_nothing():
    logits = torch.randn(3, 5, requires_grad=True)
    loss = module._cross_entropy(logits, torch.full((3,), module.NOT_ASKED))
    assert loss.item() == 0
    labels = torch.tensor([1, module.NOT_ASKED, 2])
    expected = torch.nn.functional.cross_entropy(logits, labels, ignore_index=module.NOT_ASKED)
    assert module._cross_entropy(logits, labels).item() == pytest.approx(expected.item())
