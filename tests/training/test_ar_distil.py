"""Distillation of guidance: the student says in one pass what its teacher says with guidance."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from arlon_core.errors import ModelError
from arlon_core.models.token_transformer import IGNORE, TokenTransformer
from arlon_core.presets import PRESETS
from arlon_core.training.components import load_vae
from arlon_core.training.config import train_config
from arlon_core.training.episodes import EpisodeSource
from arlon_core.training.run import train
from arlon_core.training.stage import Setting
from arlon_core.training.stages.ar_distil import ARDistilStage
from tests.training.toy_folders import link_components
from tests.training.toy_steps import take_steps

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def components(tiny_components: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny components, with a teacher whose text has a say."""
    folder = tmp_path_factory.mktemp("ar-distil")
    link_components(tiny_components, folder, without=("token_transformer",))
    teacher = TokenTransformer.from_pretrained(tiny_components / "token_transformer")
    torch.manual_seed(1)
    teacher.text_projection.weight.data *= 20
    teacher.null_text.data += torch.randn_like(teacher.null_text)
    for parameter in teacher.model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    teacher.save_pretrained(folder / "token_transformer")
    return folder


def make_stage(components: Path, guidance_scale: float) -> ARDistilStage:
    config = train_config("ar-distil", "tiny", batch_size=4, guidance_scale=guidance_scale)
    source = EpisodeSource(PRESETS["tiny"], config.pool, CPU, seed=0, rank=0)
    source.attach(load_vae(components, CPU))
    torch.manual_seed(0)
    return ARDistilStage(config, Setting(CPU, 0, components), source)


def test_a_teacher_without_guidance_has_nothing_to_teach(components: Path):
    stage = make_stage(components, 1.0)
    assert stage.loss(stage.model.eval(), stage.batch(0))["loss"].abs() < 1e-5
    guided = make_stage(components, 3.0)
    assert guided.loss(guided.model.eval(), guided.batch(0))["loss"] > 1e-3


def test_what_is_taught_is_the_teacher_with_guidance_and_without_text_the_teacher_alone(components: Path):
    stage = make_stage(components, 3.0)
    for parameter in stage.model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)  # the student has gone on
    batch = stage.batch(0)
    batch.dropped[:] = torch.tensor([False, True, False, True])
    asked = stage.model.targets(batch.layouts, batch.codes) != IGNORE
    taught = stage._taught(stage.teacher, batch, batch.codes)

    def said(dropped: bool) -> Tensor:
        embeds = stage.teacher.embed_layouts(batch.layouts, batch.codes, batch.states, dropped)
        with torch.no_grad():
            return stage.teacher(inputs_embeds=embeds, position_ids=batch.layouts.position).logits

    with_text, without = said(False), said(True)
    for row, alone in enumerate(batch.dropped.tolist()):
        want = without if alone else 3 * with_text - 2 * without
        torch.testing.assert_close(taught[row][asked[row]], want[row][asked[row]], rtol=1e-4, atol=1e-4)


def test_a_student_comes_nearer_to_its_teacher_who_stays(components: Path):
    stage = make_stage(components, 3.0)
    before = {name: tensor.clone() for name, tensor in stage.teacher.state_dict().items()}
    with torch.no_grad():
        at_first = stage.evaluate(stage.model.eval())
    assert at_first["student_from_guided_bits"] == pytest.approx(at_first["teacher_from_guided_bits"])
    take_steps(stage, 40, 2e-3)
    with torch.no_grad():
        found = stage.evaluate(stage.model)
    assert found["student_from_guided_bits"] < 0.7 * at_first["student_from_guided_bits"]
    assert found["teacher_from_guided_bits"] == pytest.approx(at_first["teacher_from_guided_bits"])
    assert all(torch.equal(tensor, before[name]) for name, tensor in stage.teacher.state_dict().items())


def test_the_student_is_written_beside_its_teacher(components: Path, tmp_path: Path):
    link_components(components, tmp_path)
    config = train_config("ar-distil", "tiny", max_steps=2, guidance_scale=1.5)
    train([config], tmp_path, tmp_path / "runs", device="cpu")
    student = TokenTransformer.from_pretrained(tmp_path / "token_transformer_distilled")
    assert student.config.guidance_distilled
    teacher = TokenTransformer.from_pretrained(tmp_path / "token_transformer")
    assert student.config.num_hidden_layers == teacher.config.num_hidden_layers
    assert any(not torch.equal(a, b) for a, b in zip(student.parameters(), teacher.parameters(), strict=True))
    report = (tmp_path / "training" / "ar-distil.json").read_text()
    assert '"starts_from": "token_transformer"' in report
    (tmp_path / "token_transformer").unlink()
    student.save_pretrained(tmp_path / "token_transformer")
    with pytest.raises(ModelError, match="already what guidance says"):
        make_stage(tmp_path, 1.5)


def test_without_its_teacher_it_is_refused(tiny_components: Path, tmp_path: Path):
    link_components(tiny_components, tmp_path, without=("token_transformer",))
    with pytest.raises(ModelError, match="train that stage first"):
        make_stage(tmp_path, 1.5)
