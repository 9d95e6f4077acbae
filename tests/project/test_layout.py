"""The shape of the repository: import roots, doors, the direction of imports, and clean files."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
IMPORT_ROOTS = ("agents", "tracing", "datasets", "evals")
PACKAGES = {
    path.name: path
    for root in IMPORT_ROOTS
    for path in (ROOT / root / "linenotes").iterdir()
    if path.is_dir() and path.name != "__pycache__"
}
MAY_IMPORT = {
    "project": set(),
    "agents": {"project"},
    "tracing": {"project"},
    "datasets": {"project"},
    "evals": {"project", "agents", "tracing", "datasets"},
    "cli": {"project", "agents", "tracing", "datasets", "evals"},
}
PARTS_OF_TRACING = {
    "views": set(),
    "recorder": set(),
    "recordings": set(),
    "export": set(),
    "live": {"recorder"},
    "sources": {"recorder"},
    "files": {"recorder"},
    "store": {"views", "sources"},
    "keeping": {"export", "live", "store"},
}
"""Each with the other parts that it may import; all import the modules above them."""
PARTS_OF_EVALS = {
    "statistics": set(),
    "journal": set(),
    "starter": set(),
    "testing": set(),
    "engine": {"journal"},
    "scorers": {"journal", "engine"},
    "workers": {"journal", "engine"},
    "failing": {"journal"},
    "history": {"statistics", "journal"},
    "sizing": {"statistics", "journal"},
    "documents": {"sizing"},
    "publishing": {"statistics", "journal", "engine"},
    "importing": {"statistics", "journal", "engine", "scorers", "publishing"},
    "judging": {"statistics", "journal", "documents", "engine", "scorers", "importing"},
    "comparing": {
        *("statistics", "journal", "documents", "history"),
        *("publishing", "judging"),
    },
    "gating": {
        *("statistics", "journal", "documents", "engine", "scorers", "history"),
        *("comparing", "publishing", "judging", "failing"),
    },
    "suite": {
        *("statistics", "journal", "documents", "engine", "scorers"),
        *("comparing", "gating", "history", "failing"),
    },
}
"""Each with the other parts that its code imports; the modules beside them put parts together."""
HEAVY = {
    "deepeval",
    "langchain_core",
    "langchain_openai",
    "langgraph",
    "mlflow",
    "opentelemetry",
    "pandas",
    "scipy",
    "statsmodels",
}
MADE_BY_TOOLS = {"__pycache__", ".linenotes", ".pytest_cache", "build", "dist"}
# Written so that this file does not hold what it looks for.
REGISTRY = re.compile(r"pypi[.]org|[p]ythonhosted|[n]pmjs|deb[.]debian|security[.]debian")
MACHINE_PATH = re.compile(r"(?<![\w.}~-])/(?:root|work|home|Users)/")


def test_every_package_has_a_place_in_the_import_order() -> None:
    assert set(PACKAGES) == set(MAY_IMPORT)


@pytest.mark.parametrize("root", IMPORT_ROOTS)
def test_an_import_root_is_no_package(root: str) -> None:
    assert not (ROOT / root / "__init__.py").exists()
    assert not (ROOT / root / "linenotes" / "__init__.py").exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_typed(package: str) -> None:
    assert (PACKAGES[package] / "py.typed").is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_door_holds_imports_and_their_names_and_nothing_else(package: str) -> None:
    door = _parsed(PACKAGES[package] / "__init__.py")
    docstring, *imports, exported = door.body
    assert isinstance(docstring, ast.Expr)
    assert all(isinstance(node, ast.ImportFrom) for node in imports)
    assert isinstance(exported, ast.Assign)
    names = [
        alias.asname or alias.name
        for node in imports
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    ]
    assert sorted(ast.literal_eval(exported.value)) == sorted(names)


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way_and_pass_through_the_door(package: str) -> None:
    allowed = MAY_IMPORT[package]
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for path in sorted(PACKAGES[package].rglob("*.py"))
        for line, module in _imports(path)
        for _, other, *inner in [module.split(".")]
        if other != package and (other not in allowed or any(n.startswith("_") for n in inner))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("package", "parts"), [("tracing", PARTS_OF_TRACING), ("evals", PARTS_OF_EVALS)]
)
def test_the_parts_of_a_package_have_an_order_without_a_circle(
    package: str, parts: dict[str, set[str]]
) -> None:
    assert {path.parent.name for path in PACKAGES[package].glob("*/__init__.py")} == set(parts)
    before: set[str] = set()
    for part, may_import in parts.items():
        assert may_import <= before
        before.add(part)


def test_imports_between_the_parts_of_tracing_point_one_way() -> None:
    package = PACKAGES["tracing"]
    own = ("__init__.py", "_ledger.py")  # a method of `Ledger` reads what is stored
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for path in sorted({*package.rglob("*.py")} - {package / name for name in own})
        for line, module in _imports(path)
        for part, (other, *inner) in [(path.relative_to(package).parts[0], _inside(module))]
        if inner and other not in (part, *PARTS_OF_TRACING.get(part, ()))
    ]
    assert wrong == []


@pytest.mark.parametrize("part", PARTS_OF_EVALS)
def test_a_part_of_evals_imports_no_part_that_stands_behind_it(part: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for path in sorted((PACKAGES["evals"] / part).glob("**/*.py"))
        for line, module in _imports(path, run=True)
        for other in [_inside(module, "evals")[0]]
        if other in PARTS_OF_EVALS and other not in (part, *PARTS_OF_EVALS[part])
    ]
    assert wrong == []


def test_opening_the_doors_imports_nothing_heavy() -> None:
    doors = ", ".join(f"linenotes.{package}" for package in PACKAGES)
    program = f"import sys, {doors}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert HEAVY.intersection(run.stdout.split()) == set()


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in _texts()
        for pattern in (REGISTRY, MACHINE_PATH)
        if (match := pattern.search(text))
    ]
    assert found == []


@pytest.mark.parametrize("name", ["lock.txt", "weights.txt"])
def test_a_lock_pins_and_hashes_every_package_and_holds_no_address(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert not re.search(r"://| @ |--(?!hash=sha256:)\w", text)
    entries = re.findall(r"^[a-z0-9].*(?:\n    .*)*", text, re.MULTILINE)
    assert [e for e in entries if not re.match(r"[a-z0-9-]+==\S+ .*\n    --hash=", e)] == []


def test_the_lock_meets_every_requirement_of_pyproject() -> None:
    locked = _locked_versions()
    wrong = [
        str(requirement)
        for requirement in _requirements()
        if not (versions := locked.get(canonicalize_name(requirement.name)))
        or not all(requirement.specifier.contains(version) for version in versions)
    ]
    assert wrong == []


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _imports(path: Path, *, run: bool = False) -> Iterator[tuple[int, str]]:
    """Every import of the file, at its top or inside a function, of a part of linenotes.

    With `run` those that are executed, so none that only annotations need.
    """
    for node in _nodes(_parsed(path), run=run):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module]
            if node.module == "linenotes":
                modules = [f"linenotes.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            continue
        yield from ((node.lineno, m) for m in modules if m.startswith("linenotes."))


def _nodes(node: ast.AST, *, run: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not (run and isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from _nodes(child, run=run)


def _inside(module: str, package: str = "tracing") -> list[str]:
    """Return where in a package a module is: its part and its name, or its name alone."""
    _, own, *inside = module.split(".")
    return inside if own == package and inside else [module]


def _texts() -> Iterator[tuple[Path, str]]:
    """Every text file of the checkout that a person wrote."""
    tops = (path for path in ROOT.iterdir() if path.name == ".ci" or path.name[0] != ".")
    for top in tops:
        for path in [top] if top.is_file() else top.rglob("*"):
            if path.is_file() and not MADE_BY_TOOLS.intersection(path.relative_to(ROOT).parts):
                content = path.read_bytes()
                if b"\0" not in content:
                    yield path, content.decode("utf-8")


def _locked_versions() -> dict[str, list[str]]:
    locked: dict[str, list[str]] = {}
    text = (ROOT / "requirements" / "lock.txt").read_text(encoding="utf-8")
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE):
        locked.setdefault(name, []).append(version)
    return locked


def _requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [Requirement(r) for r in (*project["dependencies"], *extras["local"], *extras["dev"])]
