"""What the token transformer reads in training: wrong tokens, changes that come late, muddled subjects."""

from __future__ import annotations

import torch

from arlon_core.training.context_errors import corrupt_codes, late_change, muddled_subjects

TOKENS, PER_FRAME, BORDER, START = 120, 6, 5, 8
TRUE = torch.arange(TOKENS)


def _draws(border: int, start: int) -> list[torch.Tensor]:
    return [
        late_change(TOKENS, PER_FRAME, border, start, torch.Generator().manual_seed(seed))
        for seed in range(40)
    ]


def test_corruption_leaves_most_codes_alone():
    codes = torch.randint(4096, (4, 2000))
    generator = torch.Generator().manual_seed(0)
    wrong = (corrupt_codes(codes, 4096, 0.08, generator) != codes).float().mean()
    assert 0.06 < wrong < 0.1
    assert torch.equal(corrupt_codes(codes, 4096, 0.0, generator), codes)


def test_late_places_show_the_frame_before_the_border_and_nothing_else_changes():
    for sources in _draws(BORDER, START):
        late = sources != TRUE
        frames = late.view(-1, PER_FRAME)
        assert not frames[:BORDER].any(), "the film before the change is read as it is"
        before = (BORDER - 1) * PER_FRAME + TRUE % PER_FRAME
        assert torch.equal(sources[late], before[late])
        until = int(frames.any(1).nonzero().max()) + 1
        assert torch.equal(frames[BORDER:until], frames[BORDER].expand(until - BORDER, -1)), "one stretch"


def test_a_late_change_reaches_up_to_the_block_or_into_it():
    ends = {int((sources != TRUE).nonzero().max()) // PER_FRAME + 1 for sources in _draws(BORDER, START)}
    assert min(ends) == START
    assert START < max(ends) <= START + 8
    at_border = _draws(BORDER, BORDER)
    assert all((sources != TRUE).any() for sources in at_border), "one late frame at the least"


def test_all_places_or_half_of_them_are_late():
    shares = [
        (sources != TRUE).view(-1, PER_FRAME)[BORDER].float().mean() for sources in _draws(BORDER, START)
    ]
    assert 10 < sum(share == 1 for share in shares) < 35
    assert any(0 < share < 1 for share in shares)


def _muddled(cover: torch.Tensor, frames: int = 4) -> list[torch.Tensor]:
    return [
        muddled_subjects(cover, frames, START, torch.Generator().manual_seed(seed)).view(-1, PER_FRAME)
        for seed in range(60)
    ]


COVER = torch.zeros(TOKENS // PER_FRAME, PER_FRAME)
COVER[:, 1:4] = torch.tensor([0.2, 1.0, 0.5])
COVER[:, 4] = 0.05  # hardly touched: not a subject's place


def test_only_places_of_subjects_near_the_block_are_muddled_and_they_stay_in_their_frame():
    true = TRUE.view(-1, PER_FRAME)
    for sources in _muddled(COVER):
        wrong = sources != true
        assert not wrong[:, [0, 4, 5]].any(), "what no subject covers is read as it is"
        assert not wrong[: START - 4].any()
        assert not wrong[START + 8 :].any()
        assert torch.equal(sources // PER_FRAME, true // PER_FRAME)


def test_muddled_subjects_show_mostly_each_other_and_the_same_from_frame_to_frame():
    seen = [
        (sources % PER_FRAME)[wrong] for sources in _muddled(COVER) for wrong in [sources != TRUE.view(-1, 6)]
    ]
    shown = torch.cat(seen)
    theirs = ((shown >= 1) & (shown <= 3)).float().mean()
    assert 0.5 < theirs < 0.98, "mostly subjects, and now and then anything"
    for sources in _muddled(COVER):
        read = sources % PER_FRAME
        changed = (sources != TRUE.view(-1, PER_FRAME)).any(1).nonzero()[:, 0]
        assert all(torch.equal(read[frame], read[changed[0]]) for frame in changed)


def test_a_film_without_subjects_is_read_as_it_is():
    assert all(torch.equal(sources.flatten(), TRUE) for sources in _muddled(torch.zeros_like(COVER)))
