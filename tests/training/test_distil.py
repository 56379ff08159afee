"""Distillation: the student ends where its teacher's several steps with guidance end."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from arlon_core.errors import ArlonError, ModelError
from arlon_core.models.rectified_flow import RectifiedFlowScheduler
from arlon_core.models.stdit import STDiT3
from arlon_core.presets import PRESETS
from arlon_core.training.components import load_vae
from arlon_core.training.config import train_config
from arlon_core.training.episodes import EpisodeSource
from arlon_core.training.run import train
from arlon_core.training.stage import Setting
from arlon_core.training.stages import distil
from arlon_core.training.stages.distil import FEWEST, MOST, SUBSTEPS, DistilStage
from tests.training.toy_folders import link_components
from tests.training.toy_steps import take_steps

CPU = torch.device("cpu")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def components(tiny_components: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny components, with a teacher whose F has a say (its gates would be nearly closed)."""
    folder = tmp_path_factory.mktemp("distil")
    link_components(tiny_components, folder, without=("transformer",))
    teacher = STDiT3.from_pretrained(tiny_components / "transformer")
    torch.manual_seed(1)
    for parameter in teacher.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    teacher.save_pretrained(folder / "transformer")
    return folder


def make_stage(components: Path, guidance_scale: float = 1.0) -> DistilStage:
    config = train_config("dit-distil", "tiny", batch_size=4, guidance_scale=guidance_scale)
    source = EpisodeSource(PRESETS["tiny"], config.pool, CPU, seed=0, rank=0)
    source.attach(load_vae(components, CPU))
    torch.manual_seed(0)
    return DistilStage(config, Setting(CPU, 0, components), source)


def test_one_step_of_the_teacher_is_known_from_the_start(components: Path, monkeypatch: pytest.MonkeyPatch):
    """A student that is still the teacher goes where it goes in one step, with all conditions alike."""
    stage = make_stage(components)
    batch = stage.batch(0)
    stage.model.train()
    assert stage.loss(stage.model, batch)["loss"] > 1e-5, "several steps end elsewhere"
    monkeypatch.setattr(distil, "SUBSTEPS", 1)
    assert stage.loss(stage.model, batch)["loss"] < 1e-9


def test_guidance_is_part_of_what_is_learned(components: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(distil, "SUBSTEPS", 1)
    guided = make_stage(components, guidance_scale=3.0)
    assert guided.loss(guided.model, guided.batch(0))["loss"] > 1e-5


def test_times_are_steps_of_short_schedules(components: Path):
    stage = make_stage(components)
    latents = torch.zeros(2000, 4, 6, 8, 14)
    times = stage._times(latents)
    assert times.shape == (SUBSTEPS + 1, 2000)
    assert (times[:-1] > times[1:]).all()
    assert times.min() == 0
    assert times.max() == 1000
    starts = set()
    for steps in range(FEWEST, MOST + 1):
        stage.scheduler.set_timesteps(steps, 64, 112, 6)
        starts |= {round(float(time), 2) for time in stage.scheduler.timesteps}
    assert {round(float(time), 2) for time in times[0]} == starts


def test_the_overlap_stays_and_the_teacher_too(components: Path):
    stage = make_stage(components, guidance_scale=2.0)
    batch = next(batch for step in range(20) if not (batch := stage.batch(step)).new.all())
    before = {name: tensor.clone() for name, tensor in stage.teacher.state_dict().items()}
    x = torch.randn_like(batch.latents)
    moved = stage._teacher_steps(x, stage._times(x), batch)
    still = ~batch.new[:, None, :, None, None].expand_as(x)
    assert torch.equal(moved[still], x[still])
    assert not torch.equal(moved, x)
    optimizer = torch.optim.SGD(stage.model.parameters(), lr=0.1)
    stage.loss(stage.model, batch)["loss"].backward()
    optimizer.step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in stage.teacher.state_dict().items())


def test_the_teacher_takes_the_steps_of_films(components: Path):
    stage = make_stage(components)
    scheduler = RectifiedFlowScheduler(solver_order=PRESETS["tiny"].solver_order)
    batch = stage.batch(0)
    x, new = torch.randn_like(batch.latents), batch.new[:, None, :, None, None]
    scheduler.set_timesteps(4, 64, 112, x.shape[2])
    ends = torch.cat([scheduler.timesteps, torch.zeros(1)])[:, None].expand(-1, len(x))
    moved = stage._teacher_steps(x, ends, batch)
    with torch.no_grad():
        for time, timestep in zip(scheduler.timesteps, ends, strict=False):
            velocity = stage.teacher(x, timestep, x_mask=batch.new, **batch.inputs)[:, : x.shape[1]]
            x = torch.where(new, scheduler.step(velocity, time, x).prev_sample, x)
    torch.testing.assert_close(moved, x)


def test_a_student_comes_nearer_to_its_teacher(components: Path):
    stage = make_stage(components, guidance_scale=2.0)
    with torch.no_grad():
        at_first = stage.evaluate(stage.model.eval())
    take_steps(stage, 40, 1e-3)
    with torch.no_grad():
        found = stage.evaluate(stage.model)
    assert found["student_4_steps"] < 0.9 * at_first["student_4_steps"]
    assert found["teacher_4_steps"] == pytest.approx(at_first["teacher_4_steps"])


def test_both_arms_are_distilled_by_their_stages(components: Path, tmp_path: Path):
    link_components(components, tmp_path)
    names = ("dit-base", "dit-text", "dit-text-distil", "dit-distil")
    train([train_config(name, "tiny", max_steps=2) for name in names], tmp_path, tmp_path / "r", device="cpu")
    for component, injected in (("transformer_distilled", True), ("transformer_text_distilled", False)):
        student = STDiT3.from_pretrained(tmp_path / component)
        assert (student.semantic_injection is not None) == injected
        assert student.config.whole_steps
    assert (tmp_path / "r" / "dit-distil" / "sample_000002.png").is_file()


def test_without_its_teacher_and_elsewhere_it_is_refused(tiny_components: Path, tmp_path: Path):
    link_components(tiny_components, tmp_path, without=("transformer",))
    with pytest.raises(ModelError, match="train dit first"):
        make_stage(tmp_path)
    with pytest.raises(ArlonError, match="--guidance is for dit-distil, dit-text-distil"):
        train_config("ar", "tiny", guidance_scale=2.0)
