"""Laws of the metrics, on films made for them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from arlon_core.evaluation.metrics import motion, quality, readings
from arlon_core.evaluation.metrics.consistency import consistency
from arlon_core.evaluation.metrics.distance import (
    Moments,
    distance_between,
    frechet_distance,
    likeness,
)
from arlon_core.evaluation.metrics.seams import chunk_borders, seam_ratios
from arlon_core.generation.plan import make_plan
from arlon_core.world.legibility import NOT_ASKED

FPS = 12


def page(seed: int = 0, height: int = 64, width: int = 160) -> np.ndarray:
    """A soft coloured pattern, uint8 (H, W, 3), that flow can follow."""
    import cv2

    noise = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def panning(speed: float, frames: int = 25) -> np.ndarray:
    """A window moving over a wide page, `speed` pixels a frame: (F, 64, 112, 3)."""
    whole = page(width=112 + 8 * (int(speed * frames) // 8 + 1))
    starts = [round(speed * i) for i in range(frames)]
    return np.stack([whole[:, start : start + 112] for start in starts])


def still(frames: int = 25) -> np.ndarray:
    return np.repeat(page(width=112)[None], frames, 0)


def with_noise(frames: np.ndarray, strength: float) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, strength, frames.shape)
    return (frames + noise).clip(0, 255).astype(np.uint8)


# -- motion ---------------------------------------------------------------------------------------------


def test_a_still_film_neither_moves_nor_flickers():
    film = still()
    assert motion.dynamic_degree(film, FPS) == 0
    assert motion.temporal_flickering(motion.steps(film)) == 1
    assert motion.motion_smoothness(film) == 1


def test_a_film_moves_from_the_threshold_on():
    # 64 lines: the threshold is a quarter of that at 256, half a pixel in a sixth of a second.
    assert motion.dynamic_degree(panning(0.5), FPS) == 1
    assert motion.dynamic_degree(panning(0.1), FPS) == 0


def test_a_quarter_of_the_frames_has_to_move():
    # Of 13 sampled frames a quarter is three: two pairs in motion are not enough, four are.
    assert (
        motion.dynamic_degree(np.concatenate([panning(2.0, 5), np.repeat(panning(2.0, 5)[-1:], 20, 0)]), FPS)
        == 0
    )
    assert (
        motion.dynamic_degree(np.concatenate([panning(2.0, 9), np.repeat(panning(2.0, 9)[-1:], 16, 0)]), FPS)
        == 1
    )


def test_flicker_is_the_mean_step():
    film = still(3)
    film[1] = 255 - film[1]
    step = np.abs(film[1].astype(float) - film[0]).mean()
    assert motion.temporal_flickering(motion.steps(film)) == pytest.approx(1 - step / 255)


def test_smooth_motion_is_smoother_than_jerks_and_noise():
    smooth = panning(1.0)
    jerky = smooth.copy()
    jerky[1::2] = np.roll(jerky[1::2], 6, axis=2)
    assert motion.motion_smoothness(smooth) > 0.98
    assert motion.motion_smoothness(smooth) > motion.motion_smoothness(jerky) + 0.005
    assert motion.motion_smoothness(smooth) > motion.motion_smoothness(with_noise(smooth, 25)) + 0.005


def test_interpolation_finds_the_frame_between():
    film = panning(2.0, 3)
    between = motion.interpolate(film[0], film[2]).astype(int)
    inside = (slice(None), slice(8, -8))
    error = np.abs(between - film[1])[inside].mean()
    assert error < 0.3 * np.abs(film[0].astype(int) - film[1])[inside].mean()


@pytest.mark.parametrize("measure", [lambda f: motion.dynamic_degree(f, FPS), motion.motion_smoothness])
def test_films_too_short_are_refused(measure):
    with pytest.raises(ValueError, match="or more uint8 pictures"):
        measure(still(1))


# -- consistency ----------------------------------------------------------------------------------------


def test_consistency_is_vbenchs_formula():
    features = np.array([[1.0, 0], [1, 0], [0, 1]])
    # Second frame: like the one before and the first. Third: like neither.
    assert consistency(features) == pytest.approx((1 + 0) / 2)
    # Second frame: like neither. Third: like the one before alone.
    assert consistency(features[[0, 2, 2]]) == pytest.approx((0 + 0.5) / 2)
    assert consistency(np.ones((5, 3)) * np.arange(1, 6)[:, None]) == pytest.approx(1)
    assert consistency(np.array([[1.0, 0], [-1, 0]])) == 0  # never below


# -- quality --------------------------------------------------------------------------------------------


def test_noise_and_blur_score_worse_than_the_truth():
    import cv2

    true = panning(1.0, 5)
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 2) for frame in true])
    octaves = quality.octaves(true)
    scores = [
        quality.imaging_quality(quality.octaves(film), octaves)
        for film in (true, with_noise(true, 4), with_noise(true, 16), blurred)
    ]
    assert scores[0] == 1
    assert scores[0] > scores[1] > scores[2]
    assert scores[0] > scores[3]


def test_drift_is_one_against_itself_and_grows_with_fading():
    first, last = quality.look(panning(1.0, 5)), quality.look(page(1, 64, 112)[None])
    true = quality.drift(first, last)
    assert quality.drift_against(true, true) == 1
    faded = [
        quality.drift(first, quality.look((page(1, 64, 112)[None] * share).astype(np.uint8)))
        for share in (0.8, 0.5)
    ]
    assert 1 < quality.drift_against(faded[0], true) < quality.drift_against(faded[1], true)


# -- seams ----------------------------------------------------------------------------------------------


def test_a_dropped_frame_raises_the_seam_ratio():
    film = panning(1.0, 49)
    border = 20
    whole = seam_ratios(motion.steps(film[:-1]), [border])
    dropped = seam_ratios(motion.steps(np.delete(film, border, axis=0)), [border])
    assert whole[0] == pytest.approx(1, abs=0.25)
    assert dropped[0] > 1.4 * whole[0]
    assert seam_ratios(np.zeros(40), [5, 9]) == [1, 1]
    assert seam_ratios(np.zeros(11), [5]) == []  # nothing a second away


def test_a_key_frame_is_no_seam():
    """A change that comes every second, as at the key frames of a clip, is in all that is compared."""
    steps = np.ones(72)
    steps[11::12] += 1
    assert seam_ratios(steps, [48]) == [1]
    steps[47] += 1
    assert seam_ratios(steps, [48])[0] == pytest.approx(1.5, abs=0.01)


def test_seams_lie_at_chunks_and_not_at_segments():
    plan = make_plan([5.0, 8.0], fps=12, max_new=12)
    first, second = (chunk_borders(segment) for segment in plan.segments)
    assert first == [45]  # 12 latent frames are 45 frames
    assert second == [48]  # one chunk of 48 frames after the border, which is left out
    assert all(0 not in borders for borders in (first, second))


# -- distance -------------------------------------------------------------------------------------------


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(400, 6)) * np.arange(1, 7)


def test_the_distance_of_a_set_to_itself_is_nothing(features):
    assert _distance(features, features) == pytest.approx(0, abs=1e-9)
    assert likeness(0) == 1


def test_the_interval_of_a_distance_is_about_its_value():
    """A story drawn twice adds no features, and of fewer features the distance is larger."""
    rng = np.random.default_rng(0)
    true = [rng.normal(size=(1, 24)) + 0.3 * rng.normal(size=(6, 24)) for _ in range(24)]
    own = [each + 0.3 * rng.normal(size=each.shape) + 0.1 for each in true]
    for score in (float, likeness):
        interval = distance_between(own, true, score).interval()
        assert interval.low < interval.value < interval.high
        below, above = interval.value - interval.low, interval.high - interval.value
        assert 0.3 < below / above < 3
    difference = (distance_between(own, true) - distance_between(own, true)).interval()
    assert (difference.low, difference.high) == (0, 0)


def test_the_distance_between_shifted_sets_is_the_shift(features):
    scale = features.std(0)
    assert _distance(features + 2 * scale, features) == pytest.approx(4, rel=1e-3)
    # Half the spread in each dimension: (1 - 1/2)^2.
    narrow = (features - features.mean(0)) / 2 + features.mean(0)
    assert _distance(narrow, features) == pytest.approx(0.25, rel=1e-3)
    # No unit of the features counts.
    assert _distance(9 * narrow, 9 * features) == pytest.approx(0.25, rel=1e-3)


def test_sets_drawn_together_are_one_set(features):
    sets = Moments.stacked([Moments.of(features[:100]), Moments.of(features[100:])])
    drawn = sets.drawn(torch.tensor([[1.0, 1.0], [2.0, 0.0]], dtype=torch.float64))
    assert torch.allclose(drawn.covariance[0], Moments.of(features).covariance)
    assert torch.allclose(drawn.mean[1], Moments.of(features[:100]).mean)
    both = frechet_distance(drawn, sets.drawn(torch.ones(2, 2, dtype=torch.float64)))
    assert both.tolist() == pytest.approx([0, _distance(features[:100], features)], abs=1e-9)


def _distance(own: np.ndarray, true: np.ndarray) -> float:
    return float(frechet_distance(Moments.of(own), Moments.of(true)))


# -- readings -------------------------------------------------------------------------------------------


def test_windows_vote_by_their_mean():
    probabilities = {
        "action": np.array([[0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]),
        "camera": np.array([[0.2, 0.8]]),
    }
    assert readings.right(probabilities, {"action": 0, "camera": 0}) == {"action": True, "camera": False}
    assert readings.share_right(probabilities["action"], 1) == pytest.approx(2 / 3)


def test_what_cannot_be_seen_is_not_asked():
    probabilities = {"action": np.array([[0.9, 0.1]]), "camera": np.array([[0.3, 0.7]])}
    labels = {"action": NOT_ASKED, "camera": 1}
    assert readings.right(probabilities, labels) == {"camera": True}
    assert readings.agreement(probabilities, labels, ("action", "camera")) == pytest.approx(0.7)
    assert readings.agreement(probabilities, labels, ("action",)) is None
