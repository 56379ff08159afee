"""Tokens drawn under teacher forcing: nothing looks ahead, used by the diffusion stage at its end only."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from arlon_core.errors import ModelError
from arlon_core.models.latent_vqvae import LatentVQVAE
from arlon_core.models.token_layout import block_layout
from arlon_core.models.token_transformer import TokenTransformer, TokenTransformerConfig, batch_layouts
from arlon_core.presets import PRESETS
from arlon_core.training.components import load_vae
from arlon_core.training.config import train_config
from arlon_core.training.episodes import EpisodeSegment, EpisodeSource
from arlon_core.training.run import train
from arlon_core.training.stage import Setting
from arlon_core.training.stages.conditions import KINDS, CoarseConditions
from arlon_core.training.stages.dit import DiTStage
from arlon_core.training.teacher_forcing import TeacherForcing, teacher_forced_codes
from tests.training.toy_folders import link_components

CPU = torch.device("cpu")
CODES, TEXT, ROWS, COLS = 32, 8, 2, 3
SEGMENTS = (
    (EpisodeSegment(0, 3, "a"), EpisodeSegment(3, 22, "b")),  # the second has two blocks
    (EpisodeSegment(0, 22, "c"),),
)
LENGTHS = [[4, 3], [5]]
SEEDS = [7, 8]


@pytest.fixture(scope="module")
def model() -> TokenTransformer:
    torch.manual_seed(0)
    config = TokenTransformerConfig(
        codebook_size=CODES, text_dim=TEXT, token_rows=ROWS, token_cols=COLS, initializer_range=0.3,
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
    )  # fmt: skip
    return TokenTransformer(config).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def episodes() -> tuple[torch.Tensor, torch.Tensor]:
    """Codes (B, T, h, w) and text states (B, K, L, D)."""
    generator = torch.Generator().manual_seed(1)
    codes = torch.randint(CODES, (2, 22, ROWS, COLS), generator=generator)
    return codes, torch.randn(2, 2, 5, TEXT, generator=generator)


def draw(model, codes, states, seeds=SEEDS) -> torch.Tensor:
    return teacher_forced_codes(model, codes, states, LENGTHS, SEGMENTS, seeds)


def test_every_token_is_drawn_from_the_codebook(model, episodes):
    codes, states = episodes
    drawn = draw(model, codes, states)
    assert drawn.shape == codes.shape
    assert drawn.dtype == codes.dtype
    assert 0 <= drawn.min() <= drawn.max() < CODES
    assert (drawn != codes).float().mean() > 0.3


def test_draws_belong_to_the_episode(model, episodes):
    codes, states = episodes
    drawn = draw(model, codes, states)
    assert torch.equal(drawn, draw(model, codes, states))
    other = draw(model, codes, states, [7, 9])
    assert torch.equal(drawn[0], other[0])
    assert not torch.equal(drawn[1], other[1])


@pytest.mark.parametrize("frame", [1, 3, 10, 20])
def test_nothing_looks_ahead(model, episodes, frame: int):
    """Other tokens from `frame` on change the draws after it, and none up to it (it is drawn, not read)."""
    codes, states = episodes
    later = codes.clone()
    later[:, frame:] = (later[:, frame:] + 1) % CODES
    first, second = draw(model, codes, states), draw(model, later, states)
    assert torch.equal(first[:, :frame], second[:, :frame])
    assert torch.equal(first[:, frame, 0, 0], second[:, frame, 0, 0])
    assert not torch.equal(first[:, frame:], second[:, frame:])


def test_the_text_counts_from_its_segment_on(model, episodes):
    codes, states = episodes
    other = states.clone()
    other[0, 1] += 1
    first, second = draw(model, codes, states), draw(model, codes, other)
    assert torch.equal(first[0, :3], second[0, :3])
    assert not torch.equal(first[0, 3:], second[0, 3:])
    assert torch.equal(first[1], second[1])
    other = states.clone()
    other[1, 0] += 1
    second = draw(model, codes, other)
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[1], second[1])


def test_draws_follow_the_distribution(model, episodes):
    """Many draws of a film's second frame: as often as the model's own forward says, token by token."""
    copies, segments = 1500, (EpisodeSegment(0, 2, "a"),)
    codes, states = episodes[0][:1, :2], episodes[1][:1, :1]
    drawn = teacher_forced_codes(
        model,
        codes.expand(copies, -1, -1, -1),
        states.expand(copies, -1, -1, -1),
        [[4]] * copies,
        [segments] * copies,
        range(copies),
    ).flatten(1)
    layouts = batch_layouts([block_layout([0, 2], [4], 0, 2, tokens_per_frame=ROWS * COLS)])
    embeds = model.embed_layouts(layouts, codes.flatten(1), states)
    logits = model(inputs_embeds=embeds, position_ids=layouts.position).logits[0]
    for token in range(2 * ROWS * COLS):
        expected = logits[4 - 1 + token, :CODES].softmax(-1)
        found = torch.bincount(drawn[:, token], minlength=CODES) / copies
        assert (found - expected).abs().sum() < 0.25


def test_the_end_of_a_segment_is_never_drawn(model, episodes, monkeypatch: pytest.MonkeyPatch):
    def eager_to_end(hidden: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(hidden), CODES + 1)
        logits[:, 5], logits[:, CODES] = 100.0, 1000.0
        return logits

    monkeypatch.setattr(model.lm_head, "forward", eager_to_end)
    assert (draw(model, *episodes) == 5).all()


# -- in the diffusion stage -----------------------------------------------------------------------------


def dit_stage(components: Path) -> DiTStage:
    config = train_config("dit", "tiny", batch_size=6)
    source = EpisodeSource(PRESETS["tiny"], config.pool, CPU, seed=0, rank=0)
    source.attach(load_vae(components, CPU))
    return DiTStage(config, Setting(CPU, 0, components), source)


@pytest.mark.slow
def test_f_of_a_group_has_the_latents_shape_and_stays(tiny_components: Path):
    stage = dit_stage(tiny_components)
    group = stage.source.group(0)
    conditions = stage.conditions
    assert conditions is not None
    assert conditions.teacher_forcing is not None
    coarse = conditions.teacher_forcing.coarse_latents(group)
    assert coarse.shape == group.latents.shape
    assert torch.equal(coarse, conditions.teacher_forcing.coarse_latents(group))
    kinds = [conditions.of_group(0, kind) for kind in KINDS]
    assert torch.equal(kinds[-1], coarse)
    assert not any(torch.equal(a, b) for a, b in combinations(kinds, 2))
    assert conditions.of_group(0, "own") is kinds[-1]


@pytest.mark.slow
def test_own_tokens_are_used_in_the_last_half_only(tiny_components: Path, monkeypatch):
    stage = dit_stage(tiny_components)
    asked: list[bool] = []
    of_group = CoarseConditions.of_group

    def watched(self: CoarseConditions, index: int, kind: str) -> torch.Tensor:
        asked.append(kind == "own")
        return of_group(self, index, kind)

    monkeypatch.setattr(CoarseConditions, "of_group", watched)
    for progress, least, most in ((0.0, 0, 0), (0.499, 0, 0), (0.5, 12, 36), (0.99, 12, 36)):
        stage.progress = progress
        asked.clear()
        batches = [stage.batch(step) for step in range(8)]
        assert least <= sum(asked) <= most, progress
        assert all(batch.inputs["coarse_latents"].shape == batch.latents.shape for batch in batches)


@pytest.mark.slow
def test_the_share_changes_nothing_else_of_a_batch(tiny_components: Path):
    stage = dit_stage(tiny_components)
    early = stage.batch(3)
    stage.progress = 0.9
    late = stage.batch(3)
    assert torch.equal(early.latents, late.latents)
    assert torch.equal(early.inputs["coarse_mask"], late.inputs["coarse_mask"])
    assert not torch.equal(early.inputs["coarse_latents"], late.inputs["coarse_latents"])


@pytest.mark.slow
def test_without_a_token_transformer_the_share_is_skipped(tiny_components: Path, tmp_path: Path, caplog):
    link_components(tiny_components, tmp_path, without=("token_transformer",))
    with caplog.at_level(logging.WARNING):
        stage = dit_stage(tmp_path)
    assert "holds no token transformer" in caplog.text
    stage.progress = 1.0
    assert stage._own_share() == 0
    stage.batch(0)


@pytest.mark.slow
def test_a_token_transformer_of_other_tokens_is_refused(tiny_components: Path, model, tmp_path: Path):
    model.save_pretrained(tmp_path / "token_transformer")
    sizes = PRESETS["tiny"].vqvae | {"codebook_size": CODES + 1}
    vqvae = LatentVQVAE(latent_channels=4, **sizes)
    with pytest.raises(ModelError, match="train stage ar again"):
        TeacherForcing.load(tmp_path, vqvae, None, CPU)


@pytest.mark.slow
def test_resume_among_own_tokens_equals_straight(tiny_components: Path, tmp_path: Path):
    """Ten steps, cut after nine: the tenth takes F from sampled tokens, drawn again after the cut."""
    config = replace(train_config("dit", "tiny", max_steps=10), checkpoint_every=100, evaluate_every=100)
    results = []
    for name, cuts in (("straight", [None]), ("broken", [9, None])):
        folder = tmp_path / name
        folder.mkdir()
        link_components(tiny_components, folder, without=("transformer",))
        for number, cut in enumerate(cuts):
            train(
                [config], folder, tmp_path / f"runs-{name}", device="cpu", stop_after=cut, resume=number > 0
            )
        results.append(load_file(next((folder / "transformer").glob("*.safetensors"))))
        shutil.rmtree(tmp_path / f"runs-{name}")
    assert results[0].keys() == results[1].keys()
    for key, value in results[0].items():
        assert torch.equal(value, results[1][key]), key


def test_evaluation_tells_whether_the_text_is_read(tiny_components: Path):
    """To a model that is deaf to it another chunk's text makes no difference, to others it does."""
    stage = dit_stage(tiny_components)
    model = stage.model.eval()
    deaf = SimpleNamespace(
        forward=lambda *x, y, mask, **inputs: model(*x, y=torch.zeros_like(y), mask=None, **inputs)
    )
    with torch.no_grad():
        read, unread = stage.evaluate(model), stage.evaluate(deaf)
    for name in ("without_f", "with_f"):
        assert read[f"subject_{name}"] != read[f"mistold_{name}"]
        assert unread[f"subject_{name}"] == unread[f"mistold_{name}"]
        assert unread[f"subject_{name}"] != unread[f"loss_{name}"], "on subjects alone"
