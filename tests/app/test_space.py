"""The folder of a Space: complete, small, and what its front matter says is true of the code."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from app import space
from app.space import MARK, ROOT, build_space, front_matter, main, space_files, space_requirements
from arlon_core.errors import OutputError

# https://huggingface.co/docs/hub/spaces-config-reference
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build") / "space"
    build_space(folder)
    return folder


def requirements(text: str) -> dict[str, Requirement]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {each.name: each for each in map(Requirement, lines)}


@pytest.fixture
def settings() -> dict:
    return yaml.safe_load(front_matter((ROOT / "README.md").read_text()))


# -- front matter ---------------------------------------------------------------------------------------


def test_the_front_matter_configures_this_very_app(settings: dict):
    assert settings["sdk"] == "gradio"
    assert (ROOT / settings["app_file"]).is_file()
    assert settings["license"] == "apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert len(settings["short_description"]) <= 60, "the hub cuts it there"
    assert {settings["colorFrom"], settings["colorTo"]} <= COLOURS
    assert isinstance(settings["python_version"], str), "3.10 would be the number 3.1"
    assert Version(settings["python_version"]) == Version("3.12"), "the only one of ours that ZeroGPU has"


def test_the_hardware_is_one_the_hub_knows(settings: dict):
    from huggingface_hub import SpaceHardware

    assert settings["suggested_hardware"] == SpaceHardware.ZERO_A10G.value


def test_the_space_has_the_gradio_that_was_tested(settings: dict):
    ours = requirements((ROOT / "requirements.txt").read_text())["gradio"]
    assert Version(settings["sdk_version"]) in ours.specifier
    assert Version(settings["sdk_version"]) <= Version(version("gradio")), "nothing newer was tried"


def test_front_matter_that_is_not_there_is_said_to_be():
    with pytest.raises(OutputError, match="no front matter"):
        front_matter("# ARLON Studio\n\n---\n")


# -- requirements ---------------------------------------------------------------------------------------


def test_its_requirements_are_ours_but_for_torch_and_gradio(built: Path):
    ours = requirements((ROOT / "requirements.txt").read_text())
    theirs = requirements((built / "requirements.txt").read_text())
    assert theirs.keys() == ours.keys() - {"gradio"}
    pinned = Version(str(theirs["torch"].specifier).removeprefix("=="))
    assert pinned in ours["torch"].specifier
    assert pinned <= Version("2.11"), "the latest that ZeroGPU documents"
    assert all(str(theirs[name]) == str(ours[name]) for name in theirs.keys() - {"torch"})


def test_packages_that_begin_like_torch_or_gradio_stay():
    kept = space_requirements("torch>=2\ntorchao>=0.1\ngradio>=6\n# torch\nav>=1\n").split()
    assert kept == [space.TORCH, "torchao>=0.1", "av>=1"]


# -- the folder -----------------------------------------------------------------------------------------


def test_it_holds_what_the_studio_needs_and_no_more(built: Path):
    parts = {
        "README.md",
        "requirements.txt",
        "packages.txt",
        "LICENSE",
        "app.py",
        "app",
        "arlon_core",
        "assets",
    }
    assert {path.name for path in built.iterdir()} == parts | {MARK}
    names = [str(path.relative_to(built)) for path in space_files(built)]
    assert not [name for name in names if re.search(r"__pycache__|\.pyc|(^|/)tests?/|\.partial|/\.", name)]
    for part in ("app", "arlon_core", "assets"):
        ours = {path.relative_to(ROOT) for path in (ROOT / part).rglob("*.[pjtcs]*") if path.is_file()}
        theirs = {path.relative_to(built) for path in space_files(built)}
        assert {path for path in ours if "__pycache__" not in path.parts} <= theirs


def test_no_file_is_larger_than_the_hub_takes(built: Path):
    sizes = [path.stat().st_size for path in space_files(built)]
    assert max(sizes) <= 10_000_000
    assert sum(sizes) <= 150_000_000


def test_a_file_that_is_too_large_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(space, "MAX_BYTES", 1_000_000)
    with pytest.raises(OutputError, match=r"safetensors is larger"):
        build_space(tmp_path / "space")


def test_its_readme_shows_no_picture_it_lacks(built: Path):
    readme = (built / "README.md").read_text()
    assert front_matter(readme) == front_matter((ROOT / "README.md").read_text())
    assert "# ARLON Studio" in readme
    assert "docs/" not in readme


def test_the_app_runs_from_there_with_nothing_else(built: Path):
    """In a process that sees that folder alone: flags are read, and the whole page is made."""
    helped = subprocess.run([sys.executable, "app.py", "--help"], cwd=built, capture_output=True, text=True)
    assert "--projects DIR" in helped.stdout, helped.stderr
    code = (
        "from pathlib import Path\n"
        "from types import SimpleNamespace\n"
        "import arlon_core\n"
        "from app.handlers.desk import open_desk\n"
        "from app.studio import build_studio, launch_options\n"
        "from arlon_core.jobs import JobQueue\n"
        "engine = SimpleNamespace(ready=lambda: False)\n"
        "jobs = JobQueue(engine)\n"
        "projects = Path('projects')\n"
        "desk = open_desk(jobs, engine, 'assets/models/storyworld', projects)\n"
        "page = build_studio(desk)\n"
        "launch_options(projects)\n"
        "assert desk.examples and desk.grid\n"
        "jobs.close()\n"
        "print(Path(arlon_core.__file__).parent, len(page.blocks))\n"
    )
    made = subprocess.run([sys.executable, "-c", code], cwd=built, capture_output=True, text=True)
    home, count = made.stdout.split() or [made.stderr, "0"]
    assert Path(home) == (built / "arlon_core").resolve()
    assert int(count) > 10


# -- building again -------------------------------------------------------------------------------------


def test_building_again_replaces_it_and_leaves_what_is_hidden(tmp_path: Path):
    build_space(tmp_path / "space")
    (tmp_path / "space" / "app" / "old.py").touch()
    (tmp_path / "space" / ".git").mkdir()
    (tmp_path / "space" / ".git" / "HEAD").touch()
    build_space(tmp_path / "space")
    assert not (tmp_path / "space" / "app" / "old.py").exists()
    assert (tmp_path / "space" / ".git" / "HEAD").exists()
    assert not [path for path in space_files(tmp_path / "space") if ".git" in path.parts]


def test_a_folder_of_somebody_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "novel.txt").write_text("chapter 1")
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path)])
    assert ended.value.code == 2
    assert "not a built Space" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["novel.txt"]
    with pytest.raises(OutputError, match="is a file"):
        build_space(tmp_path / "novel.txt")


def test_it_says_how_large_it_is_and_what_the_model_lacks(tmp_path: Path, capsys, monkeypatch):
    main([str(tmp_path / "space")])
    assert re.search(r"space: \d+ files, \d+\.\d MB\.", capsys.readouterr().out)
    monkeypatch.setattr(space, "check_model_folder", lambda folder: {"vae": [None, None], "fps": 12})
    assert "no vae yet" in build_space(tmp_path / "space")[1]
    monkeypatch.setattr(space, "check_model_folder", lambda folder: {"vae": ["diffusers", "X"]})
    assert len(build_space(tmp_path / "space")) == 1
