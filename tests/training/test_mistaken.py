"""Films with the wrong subjects: what they leave alone, and what of them the token transformer reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from arlon_core.presets import TINY
from arlon_core.training.config import train_config
from arlon_core.training.episodes import EpisodeSource, plain_episode
from arlon_core.training.mistaken import mistaken_script
from arlon_core.training.stage import Setting
from arlon_core.training.stages.ar import ARStage
from arlon_core.world.renderer import StoryworldRenderer
from arlon_core.world.script import Script

CPU = torch.device("cpu")
SCRIPTS = [plain_episode(seed, 121) for seed in range(200)]
ALONE = [script for script in SCRIPTS if not any(_.attributes.second_subject for _ in script.segments)]
IN_COMPANY = [script for script in SCRIPTS if script not in ALONE]


def _cast(script: Script) -> list[tuple[str, str | None]]:
    found = [segment.attributes for segment in script.segments]
    return [(f"{each.colour} {each.subject}", each.second_subject) for each in found]


@pytest.mark.parametrize("script", SCRIPTS[:30], ids=lambda script: str(script.seed))
def test_only_who_is_there_differs(script: Script):
    wrong = mistaken_script(script)
    assert _cast(wrong) != _cast(script)
    for a, b in zip(script.segments, wrong.segments, strict=True):
        same = replace(
            b.attributes,
            subject=a.attributes.subject,
            colour=a.attributes.colour,
            second_subject=a.attributes.second_subject,
        )
        assert replace(b, attributes=same) == a
    assert mistaken_script(script) == wrong


def test_beside_a_second_subject_each_of_the_five_mistakes_is_made():
    kinds = set()
    for script in IN_COMPANY:
        first, second = _cast(script)[0][0], max(filter(None, (name for _, name in _cast(script))))
        for (shown, beside), (_, told) in zip(_cast(mistaken_script(script)), _cast(script), strict=True):
            assert beside is None or told is not None, "it is there only where it is told"
            if told is not None:
                kinds.add((shown == second, beside and ("second" if beside == second else "first")))
                assert beside in (None, first, second)
    assert kinds == {(False, None), (True, None), (True, "first"), (True, "second"), (False, "first")}


def test_a_subject_alone_becomes_a_stranger_or_is_joined_by_one():
    kinds = set()
    for script in ALONE:
        told, shown = _cast(script)[0], _cast(mistaken_script(script))[0]
        kinds.add((shown[0] == told[0], shown[1] is None))
    assert kinds == {(False, True), (True, False)}


def test_the_picture_differs_where_the_subjects_are_and_nowhere_else():
    script = next(script for script in ALONE if _cast(mistaken_script(script))[0][1] is None)
    renderer = StoryworldRenderer(64, 112)
    true, wrong = renderer.render([script]), renderer.render([mistaken_script(script)])
    elsewhere = (true.subject_mask[0] == 0) & (wrong.subject_mask[0] == 0)
    differs = (true.frames[0].int() - wrong.frames[0].int()).abs().amax(1) > 3
    assert not (differs & elsewhere).float().mean() > 0.002
    assert differs.any()


@pytest.fixture(scope="module")
def stage(tiny_components: Path) -> ARStage:
    config = train_config("ar", "tiny", batch_size=64)
    source = EpisodeSource(TINY, config.pool, CPU, seed=config.seed, rank=0)
    return ARStage(config, Setting(CPU, 0, tiny_components), source)


def test_wrong_subjects_are_read_and_never_asked_for(stage: ARStage):
    stage.before_step(0)
    batch = stage.batch(0)
    tokens = batch.sources.shape[1]
    read = batch.codes.gather(1, batch.sources)
    mistaken = batch.sources >= tokens
    rows = mistaken.any(1)
    assert 0.03 < rows.float().mean() < 0.4
    own, wrong = batch.codes[:, :tokens], batch.codes[:, tokens:]
    assert torch.equal(read[mistaken], wrong[mistaken])
    assert (own[rows] != wrong[rows]).any(), "another film, and not the same once more"
    targets = stage.model.targets(batch.layouts, batch.codes)
    asked = batch.layouts.label >= 0
    assert torch.equal(targets[asked], own.gather(1, batch.layouts.label.clamp_min(0))[asked])


def test_some_episodes_have_a_mistaken_film_of_their_own(stage: ARStage):
    group = stage.source.group(0)
    tokens = stage._tokens(0)
    films = len(tokens.mistaken)
    assert 0 < films < len(group.scripts)
    drawn = stage.source.encode([mistaken_script(script) for script in group.scripts[:films]])
    assert torch.equal(tokens.mistaken, stage._codes(drawn))
