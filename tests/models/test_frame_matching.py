"""Matching of frames: what moves is told by how far and which way, at every place."""

from __future__ import annotations

import pytest
import torch

from arlon_core.models.frame_matching import GAP, RADIUS, FrameMatching

T, SIZE = 9, 12


@pytest.fixture
def matching() -> FrameMatching:
    torch.manual_seed(0)
    return FrameMatching(16)


def moving(down: int, right: int) -> torch.Tensor:
    """One window (T, 16, SIZE, SIZE) of a scene that has gone so many cells after GAP frames, and stays."""
    scene = torch.randn(16, 40, 40, generator=torch.Generator().manual_seed(1))
    steps = [(-down, -right) if t >= GAP else (0, 0) for t in range(T)]
    return torch.stack([scene[:, 10 + y : 10 + y + SIZE, 10 + x : 10 + x + SIZE] for y, x in steps])


@pytest.mark.parametrize(("down", "right"), [(0, 0), (1, -2), (-2, 1), (2, 2)])
@torch.no_grad()
def test_a_motion_is_told_by_how_far_and_which_way(matching: FrameMatching, down: int, right: int):
    later, earlier = matching.displacements(moving(down, right), 1).unbind(1)
    inner = slice(RADIUS, SIZE - RADIUS)  # at the edges what went beyond the page is not there
    side = 2 * RADIUS + 1

    def told(shares: torch.Tensor, frame: int) -> set[tuple[int, int]]:
        best = shares[frame, :, inner, inner].argmax(0).flatten().tolist()
        return {(each // side - RADIUS, each % side - RADIUS) for each in best}

    assert told(later, 0) == {(down, right)}
    assert told(earlier, GAP) == {(-down, -right)}
    assert told(later, GAP) == told(earlier, 0) == {(0, 0)}  # it moves once


@torch.no_grad()
def test_shares_sum_to_one_at_every_place(matching: FrameMatching):
    shares = matching.displacements(torch.cat([moving(1, 1), moving(0, 2)]), 2)
    assert shares.shape == (2 * T, 2, (2 * RADIUS + 1) ** 2, SIZE, SIZE)
    assert torch.allclose(shares.sum(2), torch.ones(()), atol=1e-5)


@torch.no_grad()
def test_windows_are_matched_within_themselves(matching: FrameMatching):
    one, other = moving(1, 1), moving(0, 2)
    both = matching(torch.cat([one, other]), 2)
    assert torch.allclose(both[:T], matching(one, 1), atol=1e-5)
    assert torch.allclose(both[T:], matching(other, 1), atol=1e-5)
