"""The arms of the experiments: each differs from ARLON in what it is named after, and in nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from arlon_core.errors import ModelError
from arlon_core.models.stdit import STDiT3
from arlon_core.presets import PRESETS
from arlon_core.training.arms import BASE, DIT_ARMS
from arlon_core.training.components import load_vae
from arlon_core.training.config import train_config
from arlon_core.training.episodes import EpisodeSource
from arlon_core.training.run import train
from arlon_core.training.stage import Setting
from arlon_core.training.stages.conditions import CoarseConditions
from arlon_core.training.stages.dit import DiTStage
from tests.training.toy_folders import link_components

CPU = torch.device("cpu")
TRAINED = [name for name, arm in DIT_ARMS.items() if not arm.distils]
WITH_F = [name for name in TRAINED if DIT_ARMS[name].use_coarse]
FORKS = [name for name, arm in DIT_ARMS.items() if arm.starts_from == BASE]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def components(tiny_components: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny components, and a base transformer that was trained for two steps."""
    folder = tmp_path_factory.mktemp("arms")
    link_components(tiny_components, folder, without=("transformer",))
    train([train_config("dit-base", "tiny", max_steps=2)], folder, folder / "runs", device="cpu")
    return folder


def stage_of(name: str, components: Path) -> DiTStage:
    config = train_config(name, "tiny", batch_size=8)
    source = EpisodeSource(PRESETS["tiny"], config.pool, CPU, seed=0, rank=0)
    source.attach(load_vae(components, CPU))
    torch.manual_seed(0)
    return DiTStage(config, Setting(CPU, 0, components), source)


def test_the_base_is_a_plain_transformer(components: Path):
    model = STDiT3.from_pretrained(components / BASE)
    assert model.semantic_injection is None


@pytest.mark.parametrize("name", FORKS)
def test_every_fork_starts_as_the_base(name: str, components: Path):
    """The same weights, and by the closed gates the same output, whatever F says."""
    stage = stage_of(name, components)
    base = STDiT3.from_pretrained(components / BASE)
    own = stage.model.state_dict()
    assert all(torch.equal(own[key], value) for key, value in base.state_dict().items())
    assert stage.starts_from == BASE
    batch = stage.batch(0)
    time = torch.full((len(batch.latents),), 300.0)
    plain = {key: value for key, value in batch.inputs.items() if not key.startswith("coarse_")}
    with torch.no_grad():
        forked = stage.model.eval()(batch.latents, time, **batch.inputs)
        assert torch.equal(forked, base.eval()(batch.latents, time, **plain))


def test_all_arms_see_the_same_chunks(components: Path):
    batches = {name: stage_of(name, components).batch(1) for name in TRAINED}
    arlon = batches["dit"]
    for name, batch in batches.items():
        assert torch.equal(batch.latents, arlon.latents), name
        assert torch.equal(batch.new, arlon.new), name
        assert torch.equal(batch.inputs["y"], arlon.inputs["y"]), name
        if name in WITH_F:
            assert torch.equal(batch.inputs["coarse_mask"], arlon.inputs["coarse_mask"]), name
        else:
            assert "coarse_latents" not in batch.inputs


def test_arms_of_one_command_see_the_same_chunks(components: Path, tmp_path: Path, monkeypatch):
    """Episodes that an arm has drawn are not there for the next one, which would see more of them."""
    link_components(components, tmp_path)
    seen: dict[str, list[torch.Tensor]] = {}
    batch = DiTStage.batch

    def watched(self: DiTStage, step: int):
        made = batch(self, step)
        seen.setdefault(self.config.stage, []).append(made.latents)
        return made

    monkeypatch.setattr(DiTStage, "batch", watched)
    arms = ("dit-text", "dit-certain")
    train([train_config(name, "tiny") for name in arms], tmp_path, tmp_path / "runs", device="cpu")
    one, two = (seen[name] for name in arms)
    assert len(one) == len(two) == 4
    assert all(torch.equal(mine, other) for mine, other in zip(one, two, strict=True))


def test_every_batch_has_as_many_latent_frames_whatever_its_chunks_length(components: Path):
    stage = stage_of("dit-base", components)
    whole = stage.config.preset.overlap + stage.config.preset.max_new
    shapes = [stage.batch(step).latents.shape for step in range(12)]
    lengths = {shape[2] for shape in shapes}
    assert len(lengths) > 2
    assert whole in lengths
    for count, _, length, *_ in shapes:
        assert stage.config.batch_size * whole - length < count * length <= stage.config.batch_size * whole


def test_weights_to_start_from_are_those_of_the_first_stage(
    components: Path, tiny_components: Path, tmp_path: Path
):
    """A base on the trunk of an earlier ARLON, then its fork, in one command that shares the episodes."""
    trunk = tiny_components / "transformer"
    link_components(components, tmp_path, without=(BASE,))
    stages = [train_config(name, "tiny", max_steps=1) for name in ("dit-base", "dit-text")]
    train(stages, tmp_path, tmp_path / "runs", init=trunk, device="cpu")
    starts = [
        json.loads((tmp_path / "training" / f"{name}.json").read_text())["starts_from"]
        for name in ("dit-base", "dit-text")
    ]
    assert starts == ["transformer", BASE]
    own, before = (load_file(next(folder.glob("*.safetensors"))) for folder in (tmp_path / BASE, trunk))
    name = "spatial_blocks.0.attn.qkv.weight"
    assert (own[name] - before[name]).abs().max() < 2 * stages[0].learning_rate


def test_without_coarser_tokens_all_f_is_fine(components: Path, monkeypatch: pytest.MonkeyPatch):
    asked: dict[str, set[str]] = {}
    of_group = CoarseConditions.of_group
    for name in ("dit", "dit-same-tokens"):
        kinds = asked.setdefault(name, set())

        def watched(self: CoarseConditions, index: int, kind: str, kinds: set[str] = kinds) -> torch.Tensor:
            kinds.add(kind)
            return of_group(self, index, kind)

        monkeypatch.setattr(CoarseConditions, "of_group", watched)
        stage = stage_of(name, components)
        for step in range(3):
            stage.batch(step)
    assert asked == {"dit": {"coarse", "fine"}, "dit-same-tokens": {"fine"}}


def test_without_uncertainty_f_is_encoded_as_it_is(components: Path):
    certain, arlon = (stage_of(name, components).model.train() for name in ("dit-certain", "dit"))
    coarse = torch.randn(4, 4, 3, 8, 14)
    for model, same in ((certain, True), (arlon, False)):
        drawn = [model.encode_coarse_latents(coarse).tokens for _ in range(2)]
        assert torch.equal(*drawn) == same


def test_each_arm_writes_a_component_and_a_report_of_its_own(components: Path, tmp_path: Path):
    link_components(components, tmp_path)
    names = [name for name in DIT_ARMS if name != "dit-base"]
    train([train_config(name, "tiny", max_steps=2) for name in names], tmp_path, tmp_path / "r", device="cpu")
    weights = {}
    for name in names:
        (file,) = (tmp_path / DIT_ARMS[name].component).glob("*.safetensors")
        weights[name] = load_file(file)
        assert (tmp_path / "training" / f"{name}.json").is_file()
    for key in load_file(next((tmp_path / BASE).glob("*.safetensors"))):
        assert key in weights["dit-text"]
    assert any(key.startswith("semantic_injection.") for key in weights["dit-mlp"])


def test_a_fork_without_its_base_is_refused(tiny_components: Path):
    with pytest.raises(ModelError, match="train dit-base first"):
        stage_of("dit-text", tiny_components)
