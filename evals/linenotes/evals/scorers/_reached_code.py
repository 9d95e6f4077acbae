"""What a definition stands on: the code that it names in its module and in modules beside it.

Modules are parsed, never run, so what is found depends on the files alone. A name leads to all
statements at the top of the module that bind it. An imported name leads into its module where that
lies in the project: beside the importing file, in a folder above it up to the root, or in `src`. An
argument leads to the fixture of that name. What is looked up while the code runs, such as
`getattr(helpers, name)` of a computed name, leads nowhere, and nor do data files.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_ROOT = ("pyproject.toml", ".git", "langgraph.json")
"""What the root of a project holds."""
INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Folders of libraries that are installed."""
_OURS = "linenotes"
_BLOCKS = (ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.While)
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Name = tuple[str, ...]
"""A dotted name: `helpers.limits.most` is three."""


@dataclass(frozen=True)
class Source:
    """The text of a module, and where it lies."""

    path: Path
    text: str

    @property
    def tree(self) -> ast.Module:
        """The parsed module.

        Raises:
            SyntaxError: it cannot be parsed.
        """
        return _parsed(self.text)

    @property
    def bound(self) -> Mapping[str, Sequence[ast.stmt]]:
        """Each name with the statements at the top that bind or change it."""
        return _bound(self.tree)

    @property
    def folders(self) -> list[Path]:
        """Where modules are looked for, nearest first."""
        here, *above = self.path.parents
        if INSTALLED & set(self.path.parts):
            return [here]
        for place, folder in enumerate([here, *above]):
            if any((folder / name).exists() for name in _ROOT):
                return [here, *above[:place], folder / "src"]
        return [here]

    def imported(self, name: Name, level: int) -> tuple[Source, Name] | None:
        """Return the module of the project that a name leads into, and the name in there."""
        folders = [self.path.parents[level - 1]] if level else self.folders
        if not level and name[0] == _OURS:
            return None
        for length in range(len(name), 0, -1):
            for folder in folders:
                place = folder.joinpath(*name[:length])
                for path in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
                    found = _read(path)
                    if found is not None:
                        return found, name[length:]
        return None

    def fixtures(self, name: str) -> list[Definition]:
        """Return what the nearest conftest.py that binds a name binds it to."""
        for folder in self.folders:
            found = _read(folder / "conftest.py")
            if found is not None and name in found.bound:
                return [Definition(found, one) for one in found.bound[name]]
        return []


@dataclass(frozen=True)
class Definition:
    """A piece of code in its module."""

    source: Source
    node: ast.AST
    scope: ast.ClassDef | None = None
    """The class of a method, of which `self.helper` is found."""

    @property
    def place(self) -> tuple[object, ...]:
        """What tells it from others."""
        node = self.node
        where = (node.lineno, node.col_offset) if isinstance(node, ast.stmt) else id(node)
        return self.source.path, where


def reached(start: Definition) -> list[ast.AST]:
    """Return the statements that a definition stands on, without itself."""
    seen, found, waiting = {start.place}, [], [start]
    if start.scope is not None:
        waiting.append(Definition(start.source, ast.Tuple(elts=start.scope.bases)))
    while waiting:
        for one in _named_by(waiting.pop()):
            if one.place not in seen:
                seen.add(one.place)
                found.append(one.node)
                waiting.append(one)
    return found


def reached_by_name(path: Path, name: str) -> list[ast.AST]:
    """Return the statements that bind a name in a module, and all that they stand on."""
    source = _read(path)
    return reached(Definition(source, ast.Name(id=name))) if source else []


def _named_by(definition: Definition) -> Iterator[Definition]:
    source, node = definition.source, definition.node
    inside = [one for one in ast.walk(node) if isinstance(one, ast.stmt) and _is_import(one)]
    members = _by_name(definition.scope.body) if definition.scope else {}
    for name, is_argument in _names(node):
        for statement in members.get(name[1], ()) if len(name) > 1 else ():
            yield Definition(source, statement, definition.scope)
        own = [one for one in inside if _leads_to(one, name) is not None]
        bound = [*own, *(source.bound.get(name[0]) or source.bound.get("*", ()))]
        for statement in bound:
            yield from _followed(source, name, statement, frozenset())
        if is_argument and not bound:
            yield from source.fixtures(name[0])


def _followed(
    source: Source, name: Name, statement: ast.stmt, before: frozenset[tuple[Path, Name]]
) -> Iterator[Definition]:
    """Yield what a name leads to that a statement binds, also by way of other modules."""
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        yield Definition(source, statement)
        return
    asked = _leads_to(statement, name)
    level = statement.level if isinstance(statement, ast.ImportFrom) else 0
    found = source.imported(asked, level) if asked else None
    if found is None or (found[0].path, found[1]) in before:
        return
    module, rest = found
    if not rest:
        yield from (Definition(module, one) for one in module.tree.body if not _is_import(one))
        return
    bound = module.bound.get(rest[0]) or module.bound.get("*", ())
    for one in bound:
        yield from _followed(module, rest, one, before | {(module.path, rest)})


def _leads_to(statement: ast.stmt, name: Name) -> Name | None:
    """Return the full name of what an import binds as `name`; None where it does not."""
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return None
    for alias in statement.names:
        imported = tuple(alias.name.split("."))
        if isinstance(statement, ast.ImportFrom):
            module = tuple(statement.module.split(".")) if statement.module else ()
            if alias.name == "*":
                return module + name
            if (alias.asname or alias.name) == name[0]:
                return module + imported + name[1:]
        elif alias.asname == name[0]:
            return imported + name[1:]
        elif alias.asname is None and imported[0] == name[0]:
            return name
    return None


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _names(node: ast.AST) -> Iterator[tuple[Name, bool]]:
    """Yield the dotted names in a piece of code, and whether each is an argument."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        name = _dotted(one)
        if name is not None:
            yield name, False
            continue
        if isinstance(one, ast.arg):
            yield (one.arg,), True
        waiting += ast.iter_child_nodes(one)


def _dotted(node: ast.AST) -> Name | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else None


def _by_name(body: Sequence[ast.stmt]) -> dict[str, list[ast.stmt]]:
    found: dict[str, list[ast.stmt]] = {}
    for statement in body:
        for name in dict.fromkeys(_binds(statement)):
            found.setdefault(name, []).append(statement)
        if isinstance(statement, _BLOCKS):
            inside = (one for one in ast.walk(statement) if isinstance(one, ast.stmt))
            for one in filter(_is_import, inside):
                for name in _binds(one):
                    found.setdefault(name, []).append(one)
    return found


def _binds(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds or changes, as `NAMES.append("x")` does."""
    if isinstance(statement, _NAMED):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(statement, _BLOCKS):
        for one in ast.iter_child_nodes(statement):
            if isinstance(one, ast.stmt) and not _is_import(one):
                yield from _binds(one)
            elif isinstance(one, ast.ExceptHandler):
                yield from (name for each in one.body for name in _binds(each))
    else:
        for one in _targets(statement):
            yield from (name.id for name in ast.walk(one) if isinstance(name, ast.Name))


def _targets(statement: ast.stmt) -> Sequence[ast.expr]:
    if isinstance(statement, ast.Assign):
        return statement.targets
    if isinstance(statement, ast.AnnAssign | ast.AugAssign):
        return [statement.target]
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        changed = statement.value.func
        return [changed.value] if isinstance(changed, ast.Attribute) else []
    name = getattr(statement, "name", None)  # of `type Name = …`
    return [name] if isinstance(name, ast.Name) else []


@lru_cache(maxsize=256)
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@lru_cache(maxsize=256)
def _bound(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    return _by_name(tree.body)


def _read(path: Path) -> Source | None:
    """Return a module; None where there is no such file, or it does not parse."""
    try:
        source = Source(path, path.read_text(encoding="utf-8"))
        _ = source.tree
    except (OSError, ValueError, SyntaxError):
        return None
    return source
