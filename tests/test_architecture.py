"""The libraries that each module may use. import-linter checks the layers (see pyproject.toml)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import qingbo_widgets

PACKAGE = "qingbo_widgets"
ROOT = Path(qingbo_widgets.__file__).parent
Trees = dict[str, ast.Module]
pytestmark = pytest.mark.slow

ONLY_IN = {
    "requests": (
        *(
            f"service/http/{name}.py"
            for name in ("transport", "sessions", "failures", "proxies", "certificates", "memory")
        ),
        "service/contract/urls.py",
    ),
    "urllib3": (
        *(f"service/http/{name}.py" for name in ("transport", "failures", "proxies", "memory")),
        "service/contract/urls.py",
    ),
    "ipywidgets": ("widgets/",),
    "threading": (
        "system/",
        "tasks/",
        "library/",
        "service/http/",
        "service/prices.py",
        "service/secrets/key_ring.py",
        "sandbox/",
        "widgets/base/sync.py",
    ),
    "concurrent": ("tasks/", "system/", "sandbox/"),
    "sqlalchemy": (
        *(f"library/{name}.py" for name in ("conditions", "deletion", "deletion_files", "deletion_list")),
        *(
            f"library/{name}.py"
            for name in ("judgements", "ledger", "pages", "search", "spending", "sweeps", "text_index")
        ),
        *(
            f"library/{name}.py"
            for name in ("deletion_moves", "length_column", "text_tables", "worth_columns")
        ),
        "library/journal/",
    ),
    "alembic": ("library/journal/migrations/",),
    "uvicorn": ("sandbox/",),
    "starlette": ("sandbox/",),
    "av": ("sandbox/drawing/", "media/film.py", "media/decoding.py", "media/sound.py"),
    "PIL": ("sandbox/drawing/", "media/"),
    "numpy": ("sandbox/drawing/", "media/pictures/arrays.py"),
    "fsspec": ("tasks/uploading/",),
    "nbclient": ("demo.py",),
    "tqdm": ("demo.py",),
}


@dataclass(frozen=True)
class Import:
    """One imported module, as an absolute dotted name."""

    file: str
    line: int
    module: str
    when: str
    """``load`` at the top, ``call`` inside a function, ``typing`` under TYPE_CHECKING."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module} ({self.when})"


def imports_of(file: str, tree: ast.Module) -> Iterator[Import]:
    """Yield every import of a module; ``from x import y`` counts as ``x.y`` if that is a module of ours."""
    package = [PACKAGE, *Path(file).parent.parts]

    def visit(node: ast.AST, when: str) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            inner = when
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                inner = "call" if when == "load" else when
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                inner = "typing"
            if isinstance(child, ast.Import):
                for name in child.names:
                    yield Import(file, child.lineno, name.name, when)
            elif isinstance(child, ast.ImportFrom):
                base = package[: len(package) - child.level + 1] if child.level else []
                module = ".".join([*base, *([child.module] if child.module else [])])
                for name in child.names:
                    yield Import(file, child.lineno, _module(f"{module}.{name.name}", module), when)
            yield from visit(child, inner)

    yield from visit(tree, "load")


def _module(longer: str, shorter: str) -> str:
    parts = longer.split(".")
    if parts[0] != PACKAGE:
        return shorter
    path = ROOT.joinpath(*parts[1:])
    return longer if path.is_dir() or path.with_suffix(".py").exists() else shorter


@pytest.fixture(scope="module")
def trees() -> Trees:
    """Return the syntax tree of every module of the package."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.rglob("*.py"))
    }


@pytest.fixture(scope="module")
def imports(trees: Trees) -> list[Import]:
    """Return every import of the package."""
    return [found for file, tree in trees.items() for found in imports_of(file, tree)]


def of_ours(imports: list[Import]) -> list[Import]:
    """Return the imports of the package's own modules."""
    return [found for found in imports if found.module.split(".")[0] == PACKAGE]


def test_the_reader_of_imports_sees_them(imports: list[Import]) -> None:
    """The reader finds imports; without this, the tests below would pass on an empty list."""
    ours = of_ours(imports)
    assert any(found.file == "service/http/transport.py" and found.module == "requests" for found in imports)
    assert any(
        found.file == "tasks/manager.py" and found.module == f"{PACKAGE}.service.client" for found in ours
    )
    assert any(found.when == "call" for found in ours)
    assert any(found.when == "typing" for found in ours)


def test_the_package_itself_imports_nothing_when_loaded(imports: list[Import]) -> None:
    """``import qingbo_widgets`` costs nothing: its names are loaded on first use."""
    ours = of_ours(imports)
    eager = [str(found) for found in ours if found.file == "__init__.py" and found.when == "load"]
    assert not eager, "\n".join(eager)


LOOKS_UP = ("__init__.py", "late.py", "sandbox/__init__.py")
"""The modules that import by a name in a string, which import-linter cannot detect."""


def test_imports_by_name_are_in_few_modules(trees: Trees) -> None:
    """Only the lazy package modules and ``late.py`` import by a string, which could hide upward imports."""
    wrong = []
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("import_module", "__import__"):
                wrong.append(f"{file}:{node.lineno} {ast.unparse(node)}")
    assert [line for line in wrong if not line.startswith(LOOKS_UP)] == []
    assert len({line.partition(":")[0] for line in wrong}) == len(LOOKS_UP), "it sees those that may"


OUTPUTS = ("self.cell_output",)
"""Objects whose ``replace`` method writes the output of a cell, not a file."""


def test_files_are_renamed_and_removed_in_one_place(trees: Trees) -> None:
    """Only ``system/files.py`` renames and removes files, because it retries when Windows refuses."""
    wrong = []
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            name = node.func.attr
            if name not in (
                "remove",
                "renames",
                "replace",
                "rmdir",
                "removedirs",
                "unlink",
                "rename",
                "rmtree",
            ):
                continue
            owner = ast.unparse(node.func.value)
            # str.replace has two arguments, Path.replace one, and dataclasses.replace keywords.
            is_path = name == "replace" and len(node.args) == 1 and not node.keywords and owner not in OUTPUTS
            is_system = owner == "os" and name in ("remove", "replace", "renames", "rmdir", "removedirs")
            if is_path or is_system or name in ("unlink", "rename", "rmtree"):
                wrong.append(f"{file}:{node.lineno} {ast.unparse(node)}")
    assert [line for line in wrong if not line.startswith("system/files.py:")] == []
    assert len(wrong) == 5, "it sees those of system/files.py"


@pytest.mark.parametrize("module", ONLY_IN)
def test_a_dependency_is_used_in_its_modules_only(imports: list[Import], module: str) -> None:
    """HTTP, threads, widgets and the database are each used in known modules only."""
    wrong = [
        str(found)
        for found in imports
        if found.module.split(".")[0] == module
        and found.when != "typing"
        and not found.file.startswith(ONLY_IN[module])
    ]
    assert not wrong, "\n".join(wrong)
