"""What AR and DiT read: all that is to be seen, whatever was left open; and people are told of that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from arlon_core.generation.events import WarningRaised
from arlon_core.generation.render import animatic
from arlon_core.generation.story_texts import story_texts
from arlon_core.pipeline import ArlonPipeline
from arlon_core.story import Segment, Story
from arlon_core.world.film_reading import NAMED
from arlon_core.world.prompt_reading import said_in
from arlon_core.world.script import HELD_OUT, sample_script

SHIPPED = Path(__file__).parents[2] / "assets" / "models" / "storyworld"
OPEN = ("A dragon flies.", "A red balloon rises over green hills.", "a cat", "Then night falls.")


@pytest.fixture(scope="module")
def shipped() -> ArlonPipeline:
    return ArlonPipeline.from_pretrained(SHIPPED, "cpu", dtype=torch.float32)


def story(*prompts: str, seed: int = 0) -> Story:
    return Story(tuple(Segment(prompt, 1.0) for prompt in prompts), seed=seed)


def test_every_text_tells_everything_that_is_to_be_seen(shipped: ArlonPipeline):
    told = story(
        "A red balloon rises over green hills at dawn.", "Night falls and a white owl joins it.", "Rain"
    )
    texts, taken = story_texts(shipped, told)
    assert texts == [
        "A red hot-air balloon rises over green hills at dawn.",
        "A red hot-air balloon rises over green hills at night, with a white owl beside it.",
        "A red hot-air balloon rises over green hills at night in the rain, with a white owl beside it.",
    ]
    assert taken == "", "nothing was left open"


def test_the_style_stands_before_every_text(shipped: ArlonPipeline):
    told = replace(story("A dragon flies.", "Night falls."), style="calm, wide view")
    texts, _ = story_texts(shipped, told)
    assert all(text.startswith("calm, wide view. A ") for text in texts)


def test_what_an_open_prompt_leaves_out_is_taken_and_told(shipped: ArlonPipeline):
    texts, taken = story_texts(shipped, story("A dragon flies.", "Night falls."))
    assert taken == texts[0]
    assert set(said_in(texts[0])) >= set(NAMED)


def test_a_model_of_another_world_reads_what_people_wrote():
    other = SimpleNamespace(attribute_reader=None, is_full=lambda prompts: [True] * len(prompts))
    assert story_texts(other, story("A dragon flies.")) == (["A dragon flies."], "")


def test_people_are_told_what_the_film_takes(shipped: ArlonPipeline, tmp_path: Path):
    told = Story((Segment("A dragon flies.", 0.5),))
    taken = story_texts(shipped, told)[1]
    warnings = [event for event in animatic(shipped, told, tmp_path) if isinstance(event, WarningRaised)]
    assert [each.segment for each in warnings if taken in each.message] == [0]


@pytest.mark.slow
def test_the_transformer_answers_open_prompts_as_calmly_as_captions(shipped: ArlonPipeline):
    """Of texts unlike all it was trained on it made noise: its text attention gave twenty times as much."""
    captions = [sample_script(HELD_OUT + seed, 97).segments[0].caption for seed in range(6)]
    usual = max(text_attention(shipped, caption) for caption in captions)
    for prompt in OPEN:
        (text,) = story_texts(shipped, story(prompt))[0]
        assert text_attention(shipped, text) < 2 * usual, text


def text_attention(pipe: ArlonPipeline, text: str) -> float:
    """The mean square of what the text attentions give, over all blocks."""
    given: list[float] = []
    net = pipe.transformer
    hooks = [
        block.cross_attn.register_forward_hook(lambda *call: given.append(call[2].square().mean().item()))
        for block in (*net.spatial_blocks, *net.temporal_blocks)
    ]
    encoded = pipe.encode_prompt(text)
    size = (1, net.config.in_channels, 2, *pipe.latent_size[1:])
    noise = torch.randn(size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        net(noise, torch.tensor([500.0]), encoded.states[None], mask=encoded.mask, fps=12.0)
    for hook in hooks:
        hook.remove()
    return sum(given) / len(given)
