"""Builds the folder to upload as a Hugging Face Space: `python -m app.space build/space` (or `make space`).

It holds what the studio needs and no more. The front matter that configures a Space stands at the top of the
repository's README; of the rest of it the Space gets the introduction.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from arlon_core.errors import ArlonError, OutputError
from arlon_core.generation.model_folder import INDEX, check_model_folder
from arlon_core.generation.output import output_errors

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("app.py", "app", "arlon_core", "assets", "LICENSE")
MARK = "BUILT.txt"
MAX_BYTES = 10_000_000  # of one file; the hub takes no larger one in a plain push

# The latest that ZeroGPU documents (2.8.0, 2.9.1, 2.10.0 and this), inside requirements.txt's own range.
TORCH = "torch==2.11.0"
PACKAGES = "ffmpeg\n"  # for apt: ffprobe comes with it
_MARKED = """This folder was built by `make space` in the ARLON Studio repository, and is built anew by it.
Change the files there, not here.
"""


def build_space(folder: Path) -> list[str]:
    """Write the Space into `folder`, in place of an earlier one; hidden entries, such as .git, stay.

    Gives what to know about it, a sentence each. Raises OutputError when the folder holds anything that was
    not built by this, or cannot be written; ModelError when the shipped model is damaged.
    """
    _check_ours(folder)
    missing = _missing_components()
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        (folder / MARK).write_text(_MARKED)
        for name in PARTS:
            _copy(ROOT / name, folder / name)
        (folder / "README.md").write_text(space_readme((ROOT / "README.md").read_text()))
        (folder / "requirements.txt").write_text(space_requirements((ROOT / "requirements.txt").read_text()))
        (folder / "packages.txt").write_text(PACKAGES)
    files = space_files(folder)
    for path in files:
        if path.stat().st_size > MAX_BYTES:
            raise OutputError(
                f"{path} is larger than the 10 MB that the hub takes; save it in smaller shards."
            )
    size = sum(path.stat().st_size for path in files) / 1e6
    notes = [f"{folder}: {len(files)} files, {size:.1f} MB."]
    if missing:
        notes.append(f"The model has no {', '.join(missing)} yet: this Space will render nothing.")
    return notes


def space_files(folder: Path) -> list[Path]:
    """The files that an upload takes."""
    everything = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in everything if not path.relative_to(folder).parts[0].startswith("."))


def front_matter(readme: str) -> str:
    """The YAML between the two lines `---` at a README's top. Raises OutputError where there is none."""
    opening, _, rest = readme.partition("---\n")
    block, closing, _ = rest.partition("\n---\n")
    if opening or not closing:
        raise OutputError("README.md begins with no front matter; put the Space's lines between two ---.")
    return block


def space_readme(readme: str) -> str:
    """The front matter, the title and the introduction, which ends at the first picture or second heading."""
    block = front_matter(readme)
    text = readme.partition("\n---\n")[2].lstrip("\n")
    kept = []
    for line in text.splitlines():
        if line.startswith(("![", "## ")):
            break
        kept.append(line)
    return f"---\n{block}\n---\n\n" + "\n".join(kept).strip() + "\n"


def space_requirements(requirements: str) -> str:
    """Ours with a torch that ZeroGPU has, and without gradio, whose version is `sdk_version`."""
    lines = [line for line in requirements.splitlines() if line and not line.startswith("#")]
    others = [line for line in lines if not line.startswith(("torch>", "torch=", "gradio"))]
    return "\n".join([TORCH, *others]) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """The command. Exits with code 2 and one sentence when the folder cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m app.space", description="Build the folder of a Space.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build/space"), help="(%(default)s)")
    folder = parser.parse_args(arguments).folder
    try:
        print("\n".join(build_space(folder)))
    except ArlonError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def _check_ours(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; give the path of a folder.")
    there = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    if there and not (folder / MARK).is_file():
        raise OutputError(f"{folder} holds files that are not a built Space; give an empty or a new folder.")


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.py[cod]", ".*"))
    else:
        shutil.copyfile(source, target)


def _missing_components() -> list[str]:
    model = ROOT / "assets" / "models" / "storyworld"
    if not (model / INDEX).is_file():
        return ["model_index.json"]
    entries = check_model_folder(model).items()
    return [name for name, value in entries if isinstance(value, list) and value[:1] == [None]]


if __name__ == "__main__":
    main()
