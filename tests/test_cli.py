"""The command line as a stranger meets it: real processes, one-line errors, exit codes, nothing harmed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from arlon_core.cli import main
from arlon_core.cli.progress import ProgressBars
from arlon_core.generation.events import ChunkReady, Joining, Planned, Sampling, StepDone, TokensReady
from arlon_core.generation.plan import make_plan

ROOT = Path(__file__).parents[1]
STORY = "title: A test\nseed: 4\n\n[1.5s] A red balloon rises.\n[0.6s] Then night falls.\n"


def arlon(*args: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "arlon_core", *map(str, args)]
    path = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, env=path)


def refusal(*args: object, cwd: Path = ROOT) -> str:
    """The one sentence that a command is refused with."""
    done = arlon(*args, cwd=cwd)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert done.stderr.rstrip('"\n').endswith(".")
    return done.stderr


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(STORY)
    return path


# -- help -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "", "render", "animatic", "export", "world", "train", "evaluate stories", "evaluate prompts",
        "evaluate compare", "bench", "bench world",
    ],
)  # fmt: skip
def test_help_is_quick_and_loads_nothing_heavy(command: str):
    code = (
        "import sys\n"
        "from arlon_core.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'moviepy', 'av'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    command_line = [sys.executable, "-c", code, *command.split(), "--help"]
    done = subprocess.run(command_line, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage: python -m arlon_core" in done.stdout


# -- films ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_render_writes_film_and_report(story: Path, tiny_folder: Path, tmp_path: Path):
    from arlon_core.media.clips import count_frames

    film, report = tmp_path / "film.mp4", tmp_path / "report.json"
    done = arlon("render", story, "-o", film, "--model", tiny_folder, "--steps", 3, "--report", report)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "seconds by stage: load" in done.stdout
    values = json.loads(report.read_text())
    assert values["frames"] == count_frames(film) == 25
    assert (values["fps"], values["steps"], values["seed"], values["device"]) == (12, 3, 4, "cpu")
    assert set(values["seconds"]) == {"load", "text", "tokens", "denoise", "decode", "encode"}
    assert values["model"] == str(tiny_folder)
    assert values["peak_memory_gb"] > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "report.json", "story.txt"]


def test_animatic_and_seed_in_process(
    story: Path, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
):
    report = tmp_path / "report.json"
    options = ["--model", str(tiny_folder), "--seed", "9", "--report", str(report), "--device", "cpu"]
    assert main(["animatic", str(story), "-o", str(tmp_path / "small.mp4"), *options]) == 0
    assert json.loads(report.read_text())["seed"] == 9
    assert "25 frames" in capsys.readouterr().out


# -- refusals -------------------------------------------------------------------------------------------

LINES = {
    "empty": ("", "has no segments"),
    "empty prompt": ("[4s]\n", "line 1"),
    "long prompt": ("[4s] fine\n[4s] " + "a" * 20_000 + "\n", "line 2"),
    "zero": ("[0s] a\n", "line 1"),
    "negative": ("\n\n[-3s] a\n", "line 3"),
    "nan": ("[nans] a\n", "line 1"),
    "endless": ("[1e999s] a\n", "line 1"),
    "too long": ("[99999s] a\n", "line 1"),
    "unknown key": ("[4s speed=3] a\n", "line 1"),
}


@pytest.mark.parametrize(("text", "said"), LINES.values(), ids=LINES.keys())
def test_a_bad_story_names_file_and_line(tmp_path: Path, tiny_folder: Path, text: str, said: str):
    path, film = tmp_path / "story.txt", tmp_path / "film.mp4"
    path.write_text(text)
    film.write_bytes(b"the film before")
    sentence = refusal("render", path, "-o", film, "--model", tiny_folder)
    assert "story.txt" in sentence
    assert said in sentence
    assert film.read_bytes() == b"the film before"


JSONS = {
    "unknown key": (b'{"segments": [{"prompt": "a", "length": 3}]}', "length"),
    "nan": (b'{"segments": [{"prompt": "a", "seconds": NaN}]}', "NaN"),
    "endless": (b'{"segments": [{"prompt": "a", "seconds": 1e999}]}', "segment 1"),
    "broken": (b'{"segments": [', "line 1"),
    "wrong encoding": (b'{"segments": [{"prompt": "caf\xe9"}]}', "UTF-8"),
}


@pytest.mark.parametrize(("data", "said"), JSONS.values(), ids=JSONS.keys())
def test_a_bad_json_story_is_refused(tmp_path: Path, tiny_folder: Path, data: bytes, said: str):
    path = tmp_path / "story.json"
    path.write_bytes(data)
    sentence = refusal("animatic", path, "-o", tmp_path / "film.mp4", "--model", tiny_folder)
    assert "story.json" in sentence
    assert said in sentence


def test_bad_paths_are_refused(story: Path, tiny_folder: Path, tmp_path: Path):
    good = ["--model", tiny_folder]
    assert "does not exist" in refusal("render", tmp_path / "none.txt", "-o", tmp_path / "f.mp4", *good)
    assert "folder does not exist" in refusal("render", story, "-o", tmp_path / "no" / "f.mp4", *good)
    assert "is a folder" in refusal("render", story, "-o", tmp_path, *good)
    assert "does not end in" in refusal("render", story, "-o", tmp_path / "film.txt", *good)
    report = ["--report", tmp_path / "no" / "r.json"]
    assert "r.json" in refusal("render", story, "-o", tmp_path / "f.mp4", *good, *report)
    assert [path.name for path in tmp_path.iterdir()] == ["story.txt"]


def test_bad_models_are_refused_before_torch_loads(story: Path, tmp_path: Path):
    output = ["-o", tmp_path / "f.mp4"]
    assert "does not exist" in refusal("render", story, *output, "--model", tmp_path / "none" / "at" / "all")
    assert "model_index.json" in refusal("render", story, *output, "--model", tmp_path)
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    assert "not an ARLON model" in refusal("render", story, *output, "--model", tmp_path)


OPTIONS = {
    "steps": ("render", "s.txt", "-o", "f.mp4", "--steps", "0"),
    "guidance": ("render", "s.txt", "-o", "f.mp4", "--guidance", "nan"),
    "seed": ("render", "s.txt", "-o", "f.mp4", "--seed", "-1"),
    "no output": ("render", "s.txt"),
    "unknown": ("render", "s.txt", "-o", "f.mp4", "--frobnicate"),
    "command": ("paint",),
    "stage": ("train", "everything"),
    "count": ("world", "--count", "0", "--out", "x"),
    "seconds": ("world", "--count", "1", "--seconds", "inf", "--out", "x"),
    "minutes": ("train", "vae", "dit", "--minutes", "1", "2", "3"),
    "init": ("train", "vae", "--init", "nowhere"),
    "decoder_only": ("train", "vae", "--decoder-only"),
    "evaluation": ("evaluate", "everything"),
    "component": ("evaluate", "measure", "--component", "transformer"),
    "stories": ("evaluate", "stories", "--count", "0"),
    "prompts": ("evaluate", "prompts", "--count", "0"),
    "share": ("evaluate", "true", "--share", "3/2"),
    "workers": ("evaluate", "measure", "--workers", "0"),
    "kind": ("evaluate", "measure", "--prompts", "shouted"),
}


@pytest.mark.parametrize("args", OPTIONS.values(), ids=OPTIONS.keys())
def test_bad_options_are_refused(args: tuple[str, ...], tmp_path: Path):
    refusal(*args, cwd=tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_unwritable_project_is_refused(story: Path, tiny_folder: Path, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    options = ["--model", tiny_folder, "--project", tmp_path / "file"]
    assert "project" in refusal("render", story, "-o", tmp_path / "f.mp4", *options)
    assert (tmp_path / "file").read_text() == "in the way"


def test_stopping_by_keyboard_is_no_crash(
    story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("arlon_core.cli.render.read_story", interrupted)
    assert main(["render", str(story), "-o", str(tmp_path / "f.mp4")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


# -- the other commands ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_world_writes_episodes(tmp_path: Path):
    done = arlon("world", "--count", 2, "--seconds", 1, "--seed", 5, "--out", tmp_path / "episodes")
    assert done.returncode == 0, done.stderr
    files = sorted(path.suffix for path in (tmp_path / "episodes").iterdir())
    assert files == [".json", ".json", ".mp4", ".mp4"]


def test_train_hands_its_options_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from arlon_core.training import run

    called = {}

    def train(configs, components, runs, **options) -> None:
        called.update(options, configs=configs, components=components, runs=runs)

    monkeypatch.setattr(run, "train", train)
    folders = ["--components", str(tmp_path / "c"), "--runs", str(tmp_path / "r")]
    options = ["--preset", "tiny", "--steps", "3", "--seed", "6", "--minutes", "1.5", "2", "--device", "cpu"]
    assert main(["train", "vae", "dit", *folders, *options]) == 0
    assert [(c.stage, c.preset.name, c.max_steps, c.seed) for c in called["configs"]] == [
        ("vae", "tiny", 3, 6),
        ("dit", "tiny", 3, 6),
    ]
    assert called["minutes"] == [1.5, 2.0]
    assert (called["device"], called["resume"], called["init"]) == ("cpu", False, None)
    assert json.loads((tmp_path / "c" / "model_index.json").read_text())["transformer"] == [None, None]


def test_progress_ends_full():
    """The bars count what the events tell: half a chunk is half a chunk, and all chunks are all."""
    plan = make_plan([2.0, 1.0], 12, max_new=4, overlap=2)
    with ProgressBars(file=io.StringIO()) as bars:
        bars.show(Planned(plan))
        assert bars.tokens is not None
        assert bars.chunks is not None
        for done in (1, 2, 3):
            bars.show(Sampling(done))
            assert bars.tokens.n == done
        for segment in plan.segments:
            bars.show(TokensReady(segment.index))
        bars.show(StepDone(0, 0, 1, 2))
        assert bars.chunks.n == pytest.approx(0.5)
        for chunk in plan.chunks:
            bars.show(StepDone(chunk.segment, chunk.index, 1, 2))
            bars.show(ChunkReady(chunk.segment, chunk.index))
        assert bars.chunks.n == pytest.approx(len(plan.chunks))
        assert bars.tokens.n == bars.tokens.total == plan.latents
        bars.show(Joining(24, 36))
        assert "joining, 24 of 36 frames" in str(bars.chunks)
        assert "joining" not in str(bars.tokens)
