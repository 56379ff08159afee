"""What the token transformer reads in training: wrong tokens, late changes, mistaken subjects."""

from __future__ import annotations

import torch

from arlon_core.training.context_errors import corrupt_codes, late_change, mistaken_subjects

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


def test_a_mistaken_film_is_seen_in_one_stretch_that_ends_at_the_block_or_in_it():
    firsts, untils = set(), set()
    for seed in range(80):
        sources = mistaken_subjects(TOKENS, PER_FRAME, 4, START, torch.Generator().manual_seed(seed))
        wrong = sources >= TOKENS
        assert torch.equal(sources % TOKENS, TRUE), "from its own place, in one film or the other"
        frames = wrong.view(-1, PER_FRAME)
        assert torch.equal(frames.all(1), frames.any(1)), "whole frames"
        seen = frames.any(1).nonzero()[:, 0].tolist()
        if seen:
            assert seen == list(range(seen[0], seen[-1] + 1))
            firsts.add(seen[0])
            untils.add(seen[-1] + 1)
    assert firsts == {0, *range(START - 4, START + 1)}
    assert untils == set(range(START, START + 9))
