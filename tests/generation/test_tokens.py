"""Tokens of a film, and the coarse latents made of them: blocks, resume, windows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from arlon_core.generation.coarse import coarse_latents, preview_pictures
from arlon_core.generation.events import TokensReady
from arlon_core.generation.request import Request, make_request, token_names
from arlon_core.generation.session import open_session
from arlon_core.generation.tokens import FilmTokens
from arlon_core.models.token_layout import ANCHOR, MAX_BLOCK, WINDOW
from arlon_core.store import Store
from arlon_core.story import Segment, Story

# The second segment takes several blocks; its last one sees neither the film's middle nor its own beginning.
STORY = Story(
    (
        Segment("A red balloon rises.", 2),
        Segment("Then night falls.", 15),
        Segment("A blue fox walks left.", 2),
    ),
    seed=3,
)


def film_codes(pipe, request: Request, project: Path | None = None) -> torch.Tensor:
    with open_session(pipe, request, project, None) as session:
        tokens = FilmTokens(session, token_names(pipe, request))
        events = list(tokens.events())
    ready = [event.segment for event in events if isinstance(event, TokensReady)]
    assert ready == [segment.index for segment in request.plan.segments]
    return tokens.codes


def test_the_story_is_long_enough_for_a_window(tiny_pipeline):
    plan = make_request(tiny_pipeline, STORY).plan
    assert len(plan.segments[1].blocks) > 2
    assert plan.segments[1].blocks[-1].start > ANCHOR + WINDOW + MAX_BLOCK


def test_codes_are_codes_and_vary(tiny_pipeline):
    codes = film_codes(tiny_pipeline, make_request(tiny_pipeline, STORY))
    assert codes.shape[1] == tiny_pipeline.token_transformer.config.tokens_per_frame
    assert 0 <= codes.min() < codes.max() < tiny_pipeline.token_transformer.config.codebook_size
    assert len(codes.unique()) > 8


def test_switching_a_prompt_leaves_the_tokens_before_it(tiny_pipeline):
    request = make_request(tiny_pipeline, STORY)
    before = film_codes(tiny_pipeline, request)
    last = replace(STORY.segments[2], prompt="A white boat.")
    switched = replace(STORY, segments=(*STORY.segments[:2], last))
    after = film_codes(tiny_pipeline, make_request(tiny_pipeline, switched))
    border = request.plan.segments[2].start
    assert torch.equal(before[:border], after[:border])
    assert not torch.equal(before[border:], after[border:])


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_resumed_equals_unbroken(tiny_pipeline, tmp_path: Path, kept: int):
    """Only the first blocks are in the store: the others come out as if it had never stopped."""
    request = make_request(tiny_pipeline, STORY)
    names = token_names(tiny_pipeline, request)
    unbroken = film_codes(tiny_pipeline, request, tmp_path / "a")
    whole, part = Store(tmp_path / "a"), Store(tmp_path / "b")
    for name in names[:kept]:
        found = whole.get("tokens", name)
        assert found is not None
        part.put("tokens", name, found)
    assert torch.equal(film_codes(tiny_pipeline, request, tmp_path / "b"), unbroken)


def test_a_segment_seed_changes_its_tokens_alone_and_what_follows(tiny_pipeline):
    request = make_request(tiny_pipeline, STORY)
    reseeded = (STORY.segments[0], replace(STORY.segments[1], seed=8), STORY.segments[2])
    before = film_codes(tiny_pipeline, request)
    after = film_codes(tiny_pipeline, make_request(tiny_pipeline, replace(STORY, segments=reseeded)))
    border = request.plan.segments[1].start
    assert torch.equal(before[:border], after[:border])
    assert not torch.equal(before[border:], after[border:])


def test_guidance_changes_the_tokens(tiny_pipeline):
    story = replace(STORY, segments=STORY.segments[:1])
    plain = make_request(tiny_pipeline, story)
    guided = replace(plain, sampling=replace(plain.sampling, guidance_scale=3.0))
    assert token_names(tiny_pipeline, plain) != token_names(tiny_pipeline, guided)
    assert not torch.equal(film_codes(tiny_pipeline, plain), film_codes(tiny_pipeline, guided))


def test_names_change_with_what_they_name(tiny_pipeline):
    """Each block's name holds all that came before, and nothing that comes after."""
    names = token_names(tiny_pipeline, make_request(tiny_pipeline, STORY))
    longer = replace(STORY, segments=(*STORY.segments, Segment("Snow falls.", 3)), title="other")
    assert token_names(tiny_pipeline, make_request(tiny_pipeline, longer))[: len(names)] == names
    restyled = token_names(tiny_pipeline, make_request(tiny_pipeline, replace(STORY, style="calm")))
    assert not set(restyled) & set(names)


# -- coarse latents and small pictures ------------------------------------------------------------------


def test_a_window_of_coarse_latents_equals_the_whole(tiny_pipeline):
    story = replace(STORY, segments=STORY.segments[:1])
    codes = film_codes(tiny_pipeline, make_request(tiny_pipeline, story))
    whole = coarse_latents(tiny_pipeline, codes, 0, len(codes))
    for start, stop in ((0, 3), (2, 5), (len(codes) - 1, len(codes))):
        part = coarse_latents(tiny_pipeline, codes, start, stop)
        assert torch.allclose(part, whole[:, start:stop], atol=1e-5)


def test_coarse_latents_never_look_ahead(tiny_pipeline):
    codes = torch.arange(20 * 4).view(20, 4) % 32
    other = codes.clone()
    other[9:] = (other[9:] + 7) % 32
    assert torch.equal(coarse_latents(tiny_pipeline, codes, 3, 9), coarse_latents(tiny_pipeline, other, 3, 9))


def test_small_pictures_are_one_a_frame_of_each_segment(tiny_pipeline):
    request = make_request(tiny_pipeline, STORY)
    codes = film_codes(tiny_pipeline, request)
    for segment in request.plan.segments:
        text = tiny_pipeline.encode_prompt(request.texts[segment.index])
        pictures = list(preview_pictures(tiny_pipeline, codes, segment, text))
        assert sum(len(part) for part in pictures) == segment.frames
        assert pictures[0].shape[1:] == (32, 56, 3)
