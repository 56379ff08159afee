"""What the journal tells of each start of the engine, also after some that were broken off."""

from __future__ import annotations

import shutil
from pathlib import Path

from arlon_core.generation.events import AnimaticReady, ChunkReady, SegmentReady
from arlon_core.generation.render import animatic, render
from arlon_core.generation.runs import Run, gathered, last_whole, read_runs, unfinished
from tests.generation.rendered_project import story_of, write_rendered
from tests.generation.rendering import STORY


def cut(events, chunks: int) -> None:
    """Take events up to the `chunks`-th chunk, then drop the render as a crash would."""
    for event in events:
        chunks -= isinstance(event, ChunkReady)
        if not chunks:
            events.close()
            return


def chunks_of(run: Run | None) -> list[tuple[int, int]]:
    assert run is not None
    return [(event.segment, event.chunk) for event in run.events if isinstance(event, ChunkReady)]


def test_a_render_that_broke_off_twice_is_as_far_as_it_ever_was(tiny_pipeline, tmp_path: Path):
    """The second start finds what the first one made, but does not come to tell it."""
    for chunks in (3, 1):
        cut(render(tiny_pipeline, STORY, tmp_path, chunk=2), chunks)
    runs = read_runs(tmp_path)
    assert [run.kind for run in runs] == ["render", "render"]
    begun = gathered(unfinished(runs), runs)
    plan = next(iter(render(tiny_pipeline, STORY, chunk=2))).plan
    assert [(each.start, each.stop) for each in begun.plan().chunks] == [
        (each.start, each.stop) for each in plan.chunks
    ]
    assert chunks_of(begun) == [(each.segment, each.index) for each in plan.chunks[:3]]


def test_other_settings_are_another_render(tiny_pipeline, tmp_path: Path):
    cut(render(tiny_pipeline, STORY, tmp_path, steps=1), 2)
    cut(render(tiny_pipeline, STORY, tmp_path, steps=2), 1)
    runs = read_runs(tmp_path)
    begun = gathered(unfinished(runs), runs)
    assert len(chunks_of(begun)) == 1
    assert begun.passes == 2


def test_an_animatic_is_no_render_that_broke_off(tiny_pipeline, tmp_path: Path):
    list(animatic(tiny_pipeline, STORY, tmp_path))
    (run,) = runs = read_runs(tmp_path)
    assert run.kind == "animatic"
    assert unfinished(runs) is None
    assert run.animatic == tmp_path / "animatic.mp4"


def test_a_render_that_came_to_its_end_is_not_unfinished(tiny_pipeline, tmp_path: Path):
    cut(render(tiny_pipeline, STORY, tmp_path), 1)
    list(render(tiny_pipeline, STORY, tmp_path))
    runs = read_runs(tmp_path)
    assert unfinished(runs) is None
    assert last_whole(runs) == runs[-1]
    assert [run.animatic is not None for run in runs] == [False, True], "the file is of the last one"


def test_files_are_told_where_they_lie_now(tiny_pipeline, tmp_path: Path):
    list(render(tiny_pipeline, STORY, tmp_path / "old"))
    shutil.move(tmp_path / "old", tmp_path / "new")
    (run,) = read_runs(tmp_path / "new")
    files = [event.path for event in run.events if isinstance(event, (AnimaticReady, SegmentReady))]
    assert len(files) == 7
    assert all(path.is_file() for path in [*files, run.ready.path])


def test_what_no_run_of_ours_writes_is_passed_over(tmp_path: Path):
    write_rendered(tmp_path, story_of("A fox sits.", "It runs."))
    journal = tmp_path / "journal.jsonl"
    journal.write_text(
        '{"record": "event", "event": {"event": "ChunkReady"}}\n'
        + journal.read_text()
        + '{"record": "event", "event": {"event": "TokensReady", "segment": null}}\n'
        + '{"record": "plan", "fps": "many"}\n'
    )
    (run,) = read_runs(tmp_path)
    assert run.whole
    assert run.kind == ""
