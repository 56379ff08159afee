"""The training loop's laws, on real stages at toy size."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from diffusers import AutoencoderKLWan
from safetensors.torch import load_file

from arlon_core.errors import ArlonError
from arlon_core.models.latent_vqvae import LatentVQVAE
from arlon_core.training import profiling, trainer
from arlon_core.training.arms import DIT_ARMS
from arlon_core.training.config import train_config
from arlon_core.training.run import train
from arlon_core.training.stages import stage_class
from arlon_core.training.stages.vqvae import VQVAEStage
from tests.training.toy_folders import link_components

pytestmark = pytest.mark.slow


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return {
        name: tensor
        for path in sorted(folder.glob("*.safetensors"))
        for name, tensor in load_file(path).items()
    }


def test_every_stage_trains_and_reports(tiny_components: Path):
    for name in (
        "tokenizer",
        "text_encoder",
        "attribute_reader",
        "vae",
        "latent_vqvae",
        "latent_vqvae_coarse",
    ):
        assert (tiny_components / name).is_dir(), name
    for name in ("preview_decoder", "token_transformer", "transformer"):
        assert weights(tiny_components / name), name
    reports = sorted(path.stem for path in (tiny_components / "training").glob("*.json"))
    assert reports == sorted(("text", "vae", "vqvae", "vqvae-coarse", "preview", "ar", "dit"))


def test_judges_train_beside_the_pipeline_and_report(tiny_components: Path, tmp_path: Path):
    """They are no part of it."""
    folder = tmp_path / "components"
    folder.mkdir()
    link_components(tiny_components, folder)
    stages = ("judge", "judge-report")
    train([train_config(name, "tiny", max_steps=1) for name in stages], folder, tmp_path / "r", device="cpu")
    judges = tmp_path / "judges"
    assert sorted(path.stem for path in (judges / "training").glob("*.json")) == ["judge", "judge-report"]
    assert weights(judges / "judge")
    assert weights(judges / "judge_report")
    assert not (folder / "judge").exists()


@pytest.mark.parametrize("stage", ["vqvae", "ar", "dit"])
def test_resume_after_two_equals_four_straight(stage: str, tiny_components: Path, tmp_path: Path):
    """Bit for bit: weights after 2 + 2 steps are those after 4."""
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    own = DIT_ARMS[stage].component if stage in DIT_ARMS else stage_class(stage).component
    for folder in (straight, broken):
        folder.mkdir()
        link_components(tiny_components, folder, without=(own,))
    train([train_config(stage, "tiny", max_steps=4)], straight, tmp_path / "a", device="cpu")
    # The learning rate follows the length of the run, so the first half must know the whole.
    config = train_config(stage, "tiny", max_steps=4)
    train([config], broken, tmp_path / "b", device="cpu", stop_after=2)
    train([config], broken, tmp_path / "b", device="cpu", resume=True)
    one, two = (weights(folder / own) for folder in (straight, broken))
    assert one.keys() == two.keys()
    for name in one:
        assert torch.equal(one[name], two[name]), name


def test_a_run_cut_off_leaves_the_weights_and_the_report_of_its_last_checkpoint(
    tiny_components: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    good = VQVAEStage.loss

    def cut_off(self, model, batch):
        if self.progress > 0.5:  # the step after the checkpoint
            raise KeyboardInterrupt
        return good(self, model, batch)

    monkeypatch.setattr(VQVAEStage, "loss", cut_off)
    (tmp_path / "vae").symlink_to(tiny_components / "vae")
    with pytest.raises(KeyboardInterrupt):
        train([train_config("vqvae", "tiny", max_steps=4)], tmp_path, tmp_path / "runs", device="cpu")
    report = json.loads((tmp_path / "training" / "vqvae.json").read_text())
    assert (report["steps"], report["planned_steps"]) == (2, 4)
    assert weights(tmp_path / "latent_vqvae")


def test_a_run_cut_off_while_it_keeps_a_checkpoint_goes_on_from_the_one_before(
    tiny_components: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    good, kept = Accelerator.save_state, []

    def cut_off(self: Accelerator, folder: str) -> None:
        good(self, folder)
        kept.append(folder)
        if len(kept) == 2:
            next(Path(folder).glob("*.safetensors")).write_bytes(b"half a file")
            raise KeyboardInterrupt

    config = train_config("vqvae", "tiny", max_steps=4)
    for name in ("straight", "broken"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vae").symlink_to(tiny_components / "vae")
    train([config], tmp_path / "straight", tmp_path / "a", device="cpu")
    monkeypatch.setattr(Accelerator, "save_state", cut_off)
    with pytest.raises(KeyboardInterrupt):
        train([config], tmp_path / "broken", tmp_path / "b", device="cpu")
    monkeypatch.setattr(Accelerator, "save_state", good)
    train([config], tmp_path / "broken", tmp_path / "b", device="cpu", resume=True)
    one, two = (weights(tmp_path / name / "latent_vqvae") for name in ("straight", "broken"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert [path.name for path in (tmp_path / "b" / "vqvae").glob("checkpoint*")] == ["checkpoint-000004"]


def test_decoder_only_changes_the_decoder_and_no_latent(tiny_components: Path, tmp_path: Path):
    """So the token transformer and the DiT that stand on the latents stay good."""
    trained = tiny_components / "vae"
    config = train_config("vae", "tiny", max_steps=2, decoder_only=True)
    train([config], tmp_path / "components", tmp_path / "runs", init=trained, device="cpu")
    before, after = weights(trained), weights(tmp_path / "components" / "vae")
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"decoder", "post_quant_conv"}
    old, new = (AutoencoderKLWan.load_config(folder) for folder in (trained, tmp_path / "components" / "vae"))
    assert old["latents_mean"] == new["latents_mean"]
    assert old["latents_std"] == new["latents_std"]


def test_a_profile_names_what_takes_the_time_and_writes_no_component(
    tiny_components: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(profiling, "WARM_UP", 2)
    monkeypatch.setattr(profiling, "STEPS", 2)
    link_components(tiny_components, tmp_path, without=("token_transformer",))
    train([train_config("ar", "tiny")], tmp_path, tmp_path / "runs", device="cpu", profile=True)
    table = (tmp_path / "runs" / "ar" / "profile.txt").read_text()
    assert re.match(r"\d+\.\d ms a step", table)
    assert re.search(r"aten::\w+ +\d", table), "the table has rows"
    assert not (tmp_path / "token_transformer").exists()


def test_a_loss_that_is_not_finite_never_steps(
    tiny_components: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    good = VQVAEStage.loss

    def broken(self, model, batch):
        losses = good(self, model, batch)
        return losses | {"loss": losses["loss"] * float("nan")}

    monkeypatch.setattr(VQVAEStage, "loss", broken)
    folder = tmp_path / "components"
    folder.mkdir()
    (folder / "vae").symlink_to(tiny_components / "vae")
    with pytest.raises(ArlonError, match="not finite"):
        train([train_config("vqvae", "tiny", max_steps=50)], folder, tmp_path / "runs", device="cpu")
    # A checkpoint was written on the way: its weights are those of the first moment.
    config = train_config("vqvae", "tiny")
    torch.manual_seed(config.seed)
    fresh = LatentVQVAE(latent_channels=config.preset.vae["z_dim"], **config.preset.vqvae)
    kept = weights(folder / "latent_vqvae")
    for name, parameter in fresh.named_parameters():
        assert torch.equal(kept[name], parameter.detach().bfloat16()), name


@pytest.mark.parametrize("resumed_at", [0, 240, 1000])
def test_a_run_by_the_clock_ends_when_its_time_is_up(
    resumed_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Ten minutes of steps of one second, with an evaluation of 20 now and then, on a clock of our own."""
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)

    def step(self: trainer.Trainer) -> dict[str, torch.Tensor]:
        self.step, clock.now = self.step + 1, clock.now + 1
        return {"loss": torch.zeros(())}

    def evaluate(_: trainer.Trainer) -> None:
        clock.now += 20

    monkeypatch.setattr(trainer, "time", clock)
    monkeypatch.setattr(trainer.Trainer, "train_step", step)
    monkeypatch.setattr(trainer.Trainer, "evaluate", evaluate)
    for skipped in ("save", "_log"):
        monkeypatch.setattr(trainer.Trainer, skipped, lambda *_: None)
    config = train_config("preview", "tiny", max_steps=10**6, evaluate_every=100)
    stage = SimpleNamespace(model=torch.nn.Linear(1, 1))
    run = trainer.Trainer(stage, config, tmp_path, Accelerator(cpu=True), minutes=10)
    run.step = resumed_at
    run.run()
    assert 560 < clock.now <= 600
