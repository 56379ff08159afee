"""The import law of the design: who may import whom, and that importing costs and does nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = ROOT / "arlon_core"

# Each layer may import from itself and from the layers above it in this list.
LAYERS: list[tuple[str, ...]] = [
    ("errors", "presets"),
    (
        "story",
        "store",
        "world.vocabulary",
        "world.changes",
        "world.captions",
        "world.unseen_captions",
        "world.legibility",
        "world.said",
        "world.loose_captions",
        "world.everyday",
        "world.rearranged",
        "world.rewording",
        "world.staging",
        "world.script",
    ),
    ("models", "generation.plan", "generation.events", "media", "world"),
    ("generation", "pipeline"),
    ("jobs",),
    ("training", "evaluation", "cli", "__main__"),
]
TORCH_FREE = [
    "story.py",
    "errors.py",
    "presets.py",
    "generation/plan.py",
    "generation/events.py",
    "generation/rendered.py",
    "generation/runs.py",
    "generation/export.py",
    "media/segment_ids.py",
    "media/film_settings.py",
    "media/edit_plan.py",
    "media/subtitles.py",
    "store",
]
HEAVY = {"torch", "diffusers", "transformers", "accelerate", "gradio", "moviepy", "av"}


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    """Dotted names that a file imports; type-checking blocks do not count."""
    found: set[str] = set()

    def visit(nodes: list[ast.stmt]) -> None:
        for node in nodes:
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.update(imported(node.module, alias.name) for alias in node.names)
            elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                continue
            elif not top_level_only or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                visit([child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)])

    visit(ast.parse(path.read_text()).body)
    return found


def imported(module: str, name: str) -> str:
    """The module behind `from module import name`: `name` may be a module itself."""
    own = ROOT.joinpath(*module.split("."), f"{name}.py")
    return f"{module}.{name}" if own.exists() else module


def layer_of(module: str) -> int | None:
    """Position in LAYERS of a module below arlon_core, by its longest matching name."""
    best: tuple[int, int] | None = None
    for position, names in enumerate(LAYERS):
        for name in names:
            if (module == name or module.startswith(name + ".")) and (best is None or len(name) > best[0]):
                best = (len(name), position)
    return best[1] if best else None


def below_core(name: str) -> str | None:
    return name.removeprefix("arlon_core.") if name.startswith("arlon_core.") else None


@pytest.mark.parametrize("path", modules(CORE), ids=lambda p: str(p.relative_to(CORE)))
def test_core_imports_only_upwards(path: Path):
    own = ".".join(path.relative_to(CORE).with_suffix("").parts).removesuffix(".__init__")
    own_layer = layer_of(own)
    assert own == "__init__" or own_layer is not None, f"{own} has no place in LAYERS"
    for name in imports(path):
        assert name.split(".")[0] not in ("app", "gradio"), f"{own} imports {name}"
        target = below_core(name)
        if target is not None and own != "__init__":
            target_layer = layer_of(target)
            assert target_layer is not None
            assert target_layer <= own_layer, f"{own} imports {target}, which stands below it"


@pytest.mark.parametrize("place", TORCH_FREE)
def test_planning_and_keeping_need_no_torch(place: str):
    paths = modules(CORE / place) if (CORE / place).is_dir() else [CORE / place]
    assert paths
    for path in paths:
        heavy = {name.split(".")[0] for name in imports(path)} & HEAVY
        assert not heavy, f"{path} imports {heavy}"


def test_import_is_light_and_changes_nothing(tmp_path: Path):
    """Importing the torch-free parts loads no heavy library, makes no file and sets no variable."""
    code = (
        "import os, sys\n"
        "before = dict(os.environ)\n"
        "import arlon_core, arlon_core.story, arlon_core.generation.plan, arlon_core.generation.events\n"
        "import arlon_core.store\n"
        f"loaded = {sorted(HEAVY)!r}\n"
        "assert not [name for name in loaded if name in sys.modules], sys.modules.keys() & set(loaded)\n"
        "assert dict(os.environ) == before\n"
    )
    environment = {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env=environment)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", modules(ROOT / "app" / "handlers"), ids=lambda p: p.name)
def test_handlers_know_no_component(path: Path):
    """They are plain functions over plain values; a late import would only hide that one is not."""
    above = ("gradio", "app.components", "app.panels", "app.studio", "app.serving", "app.theme")
    assert not [name for name in imports(path) if name.startswith(above)]


def test_handlers_need_no_gradio():
    names = [f"app.handlers.{path.stem}" for path in modules(ROOT / "app" / "handlers")]
    code = (
        "import importlib, sys\n"
        "sys.modules['gradio'] = None\n"
        f"for name in {names}:\n"
        "    importlib.import_module(name)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_public_names_exist():
    import arlon_core

    for name in arlon_core.__all__:
        assert getattr(arlon_core, name) is not None


def test_files_and_functions_stay_small():
    """A ratchet on size: files up to 400 lines, functions up to 70."""
    for path in modules(CORE) + modules(ROOT / "app"):
        text = path.read_text()
        assert text.count("\n") <= 400, f"{path} is {text.count(chr(10))} lines long"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= 70, f"{path}: {node.name} is {length} lines long"
