"""The judges: small, two architectures behind one interface, kept and loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from arlon_core.errors import ModelError
from arlon_core.models import judge_conv
from arlon_core.models.folders import save_component
from arlon_core.models.judge import ATTRIBUTES, SPAN, WINDOW, reading_starts, windows_of
from arlon_core.models.judge_conv import ConvJudge, with_neighbours
from arlon_core.models.judge_folder import load_judge
from arlon_core.models.judge_transformer import TransformerJudge
from arlon_core.presets import PRESETS
from arlon_core.world.vocabulary import LABELS

TINY = PRESETS["tiny"]


@pytest.fixture(params=["conv", "transformer"])
def judge(request: pytest.FixtureRequest):
    torch.manual_seed(0)
    return ConvJudge(**TINY.judge) if request.param == "conv" else TransformerJudge(**TINY.judge_report)


@pytest.fixture
def frames() -> torch.Tensor:
    return torch.randint(
        0, 256, (2, WINDOW, 3, 64, 112), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def test_every_attribute_is_read(judge, frames):
    reading = judge(frames)
    assert {name: tuple(logits.shape) for name, logits in reading.logits.items()} == {
        name: (2, len(labels)) for name, labels in LABELS.items()
    }
    assert reading.features.shape[:3] == (2, WINDOW, len(ATTRIBUTES))
    assert reading.embedding.shape[0] == 2
    looks = reading.looks.sum((-2, -1))
    assert reading.looks.shape[:3] == (2, WINDOW, len(ATTRIBUTES))
    assert torch.allclose(looks, torch.ones_like(looks), atol=1e-5)
    for probabilities in reading.probabilities().values():
        assert torch.allclose(probabilities.sum(-1), torch.ones(2))


def test_windows_of_a_batch_do_not_know_one_another(judge, frames):
    both, first = judge(frames).logits, judge(frames[:1]).logits
    for name in ATTRIBUTES:
        assert torch.allclose(both[name][:1], first[name], atol=1e-5)


def test_the_order_of_frames_counts(judge, frames):
    """Actions are told by motion: the same pictures backwards are another reading."""
    forwards, backwards = judge(frames).logits["action"], judge(frames.flip(1)).logits["action"]
    assert not torch.allclose(forwards, backwards, atol=1e-4)


def test_a_frame_stands_between_its_neighbours():
    frames = torch.arange(4.0).view(1, 4, 1, 1, 1)
    sides = with_neighbours(frames).flatten(2)[0].tolist()
    assert sides == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 3]]


def test_a_look_at_one_spot_is_told_by_its_place():
    weights = torch.zeros(1, 1, 2, 3 * 5)
    weights[0, 0, 0, 4] = 1  # the right end of the first row
    weights[0, 0, 1, [5, 9]] = 0.5  # both ends of the middle row
    places = judge_conv._places(weights, torch.Size([3, 5]))
    assert places[0, 0].tolist() == [[1, -1, 0, 0], [0, 0, 1, 0]]


def test_every_weight_learns(judge, frames):
    reading = judge(frames)
    sum(logits.square().mean() for logits in reading.logits.values()).backward()
    for name, parameter in judge.named_parameters():
        assert parameter.grad is not None, name
        # Adding one number to all scores of a softmax changes nothing, so their bias never moves.
        assert name == "scores.bias" or parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("cls", [ConvJudge, TransformerJudge])
def test_the_shipped_sizes_stay_below_five_megabytes(cls):
    assert 2 * sum(parameter.numel() for parameter in cls().parameters()) < 5_000_000


def test_a_kept_judge_reads_the_same(judge, frames, tmp_path: Path):
    judge = judge.bfloat16().float()  # what is kept is bf16
    save_component(judge, tmp_path / "judge")
    assert sum(path.stat().st_size for path in (tmp_path / "judge").iterdir()) < 5_000_000
    loaded = load_judge(tmp_path / "judge")
    assert type(loaded) is type(judge)
    with torch.no_grad():
        for name in ATTRIBUTES:
            assert torch.equal(loaded(frames).logits[name], judge(frames).logits[name])


def test_what_is_no_judge_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match=r"train it: .* train judge\."):
        load_judge(tmp_path / "judge")
    with pytest.raises(ModelError, match=r"train judge-report\."):
        load_judge(tmp_path / "judge_report")
    (tmp_path / "config.json").write_text('{"_class_name": "AutoencoderKLWan"}')
    with pytest.raises(ModelError, match="which is no judge"):
        load_judge(tmp_path)


def test_windows_are_cut_whole(judge):
    film = torch.arange(40)[:, None, None, None].expand(40, 3, 2, 2)
    windows = windows_of(film, [0, 23])
    assert windows[1, :, 0, 0, 0].tolist() == list(range(23, 40, 2))
    with pytest.raises(ValueError, match="do not lie within"):
        windows_of(film, [24])
    with pytest.raises(ValueError, match="a judge reads windows"):
        judge(torch.zeros(1, WINDOW + 1, 3, 64, 112))


def test_readings_lie_in_the_last_third():
    assert reading_starts(100, 151) == range(134, 135)
    assert list(reading_starts(0, 96)) == list(range(64, 96 - SPAN + 1))
    with pytest.raises(ValueError, match="holds no window"):
        reading_starts(0, 50)
