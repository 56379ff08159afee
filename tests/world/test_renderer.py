from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from arlon_core.world.renderer import StoryworldRenderer
from arlon_core.world.script import HELD_OUT, Script, ScriptSegment, sample_script
from arlon_core.world.vocabulary import LABELS, Attributes

HEIGHT, WIDTH = 64, 112
BASE = Attributes("owl", "red", "sea", "day", "clear", "still", "still")


@pytest.fixture(scope="module")
def renderer() -> StoryworldRenderer:
    torch.set_num_threads(1)
    return StoryworldRenderer(HEIGHT, WIDTH)


def scene(*attributes: Attributes, seed: int = 5, frames: int = 48) -> Script:
    borders = [0, *(frames * (k + 1) + 1 for k in range(len(attributes)))]
    return Script(
        seed,
        borders[-1],
        tuple(
            ScriptSegment(a, b, x, "", True)
            for a, b, x in zip(borders, borders[1:], attributes, strict=False)
        ),
    )


def centre(mask: torch.Tensor) -> tuple[float, float]:
    """(x, y) of the middle of a mask [H, W], in pixels."""
    weight = mask.double()
    y, x = torch.meshgrid(torch.arange(mask.shape[0]), torch.arange(mask.shape[1]), indexing="ij")
    return float((weight * x).sum() / weight.sum()), float((weight * y).sum() / weight.sum())


def test_shapes_types_and_the_same_seed_gives_the_same_frames(renderer):
    scripts = [sample_script(1, 29), sample_script(2, 29)]
    first = renderer.render(scripts, 3, 2)
    assert first.frames.shape == (2, 2, 3, HEIGHT, WIDTH)
    assert first.frames.dtype == torch.uint8
    assert first.subject_mask.shape == first.main_mask.shape == (2, 2, HEIGHT, WIDTH)
    again = StoryworldRenderer(HEIGHT, WIDTH).render([sample_script(1, 29), sample_script(2, 29)], 3, 2)
    assert torch.equal(first.frames, again.frames)
    assert torch.equal(first.subject_mask, again.subject_mask)
    other = renderer.render([sample_script(HELD_OUT + 1, 29)], 3, 2)
    assert not torch.equal(other.frames[0], first.frames[0])


def test_a_window_equals_the_same_frames_of_the_whole(renderer):
    scripts = [sample_script(3, 61), sample_script(4, 61)]
    whole = renderer.render(scripts)
    window = renderer.render(scripts[::-1], [37, 11], 5)
    assert torch.equal(window.frames[0], whole.frames[1, 37:42])
    assert torch.equal(window.frames[1], whole.frames[0, 11:16])
    assert torch.equal(window.main_mask[0], whole.main_mask[1, 37:42])


def test_frames_change_smoothly_also_across_borders(renderer):
    for seed in range(6):
        script = sample_script(seed, 61, min_latents=4, max_latents=6)
        frames = renderer.render([script]).frames[0].float()
        steps = (frames[1:] - frames[:-1]).abs().mean((1, 2, 3))
        assert float(steps.max()) < 14, (seed, steps)
        for segment in script.segments[1:]:
            at = segment.start_frame - 1
            assert float(steps[at]) < 2.5 * float(steps[max(0, at - 3) : at].mean()) + 1.5, (seed, at)


def test_masks_cover_the_subject_and_move_with_it(renderer):
    for subject in LABELS["subject"]:
        script = scene(replace(BASE, subject=subject, action="rise"))
        out = renderer.render([script], [0], 49)
        assert 0.02 < float((out.main_mask > 127).float().mean()) < 0.4, subject
        assert centre(out.main_mask[0, 48])[1] < centre(out.main_mask[0, 0])[1] - 3, subject
        if subject == "owl":
            break
    still = renderer.render([scene(BASE)], 0, 1)
    tinted = renderer.render([scene(replace(BASE, colour="blue"))], 0, 1)
    differs = ((still.frames.int() - tinted.frames.int()).abs() > 3).any(2)
    assert differs.any()
    assert not (differs & (still.subject_mask == 0)).any()


def test_a_second_subject_enters_and_leaves(renderer):
    script = scene(BASE, replace(BASE, second_subject="blue kite"), BASE)
    out = renderer.render([script])
    extra = (out.subject_mask.int() - out.main_mask.int()).clamp(min=0).sum((0, 2, 3))
    assert extra[40] == 0
    assert extra[94] > 1000
    assert extra[-1] == 0


def test_what_the_words_say_is_what_moves(renderer):
    out = {
        action: renderer.render([scene(replace(BASE, action=action))], 0, 49).main_mask[0]
        for action in ("left", "right", "rise", "sink", "closer", "away")
    }
    assert centre(out["left"][48])[0] < centre(out["right"][48])[0] - 8
    assert centre(out["rise"][48])[1] < centre(out["sink"][48])[1] - 8
    assert (out["closer"][48] > 127).sum() > 1.4 * (out["closer"][0] > 127).sum()
    assert (out["away"][48] > 127).sum() < 0.7 * (out["away"][0] > 127).sum()


def test_every_attribute_changes_the_picture(renderer):
    base = renderer.render([scene(BASE)], 40, 1).frames.float()
    for name in ("place", "time_of_day", "weather", "colour", "subject"):
        for value in LABELS[name]:
            if value != getattr(BASE, name):
                other = renderer.render([scene(replace(BASE, **{name: value}))], 40, 1).frames.float()
                assert float((other - base).abs().mean()) > 0.4, (name, value)


def test_other_sizes_work():
    out = StoryworldRenderer(48, 48).render([sample_script(0, 5)], 0, 1)
    assert out.frames.shape == (1, 1, 3, 48, 48)


@pytest.mark.parametrize(("start", "frames"), [(-1, 2), (0, 30), (29, 1), (0, 0), ([0, 1], 2)])
def test_windows_outside_an_episode_are_refused(renderer, start, frames):
    with pytest.raises(ValueError, match=r"outside an episode|cannot be drawn"):
        renderer.render([sample_script(0, 29)], start, frames)


def test_tiny_pages_are_refused():
    with pytest.raises(ValueError, match="too small"):
        StoryworldRenderer(8, 8)
