"""What code a score was given by: one short digest, equal as long as the code says the same.

It is taken of the parsed definition and of all that it stands on in the project, without comments,
docstrings, positions and formatting, so that it is the same on each machine and for each version of
Python. Values that the code was made with count, too: what a closure, a partial or an object holds.
Code of installed libraries is never read; a metric of theirs is known by the library's version.
"""

from __future__ import annotations

import ast
import copy
import inspect
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FunctionType, MethodType

from linenotes.evals.scorers._reached_code import INSTALLED, Definition, Source, reached
from linenotes.project import canonical_json, digest

_DIGITS = 12
_DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SAYS_NOTHING = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_PYTHON = sysconfig.get_path("stdlib")


def code_identity(found: object, beside: Mapping[str, object] | None = None) -> str | None:
    """Return the identity of the code of a function, a class, or an object by its class.

    Its own name and decorators do not count, except for those that wrap it.

    Args:
        found: whose code it is.
        beside: values that it is called with, of which those count that JSON can tell.

    Returns:
        12 hex digits; None where the code has no source.
    """
    taken = _Taken()
    try:
        taken.take(found, is_root=True)
        for name, value in (beside or {}).items():
            taken.note(name, value)
    except (OSError, SyntaxError, RecursionError):
        return None
    return digest(sorted(taken.texts))[:_DIGITS] if taken.has_code else None


def library_identity(library: str, metric: object) -> str:
    """Return the identity of a library's metric: its version, and code of the user within it."""
    taken = _Taken()
    try:
        taken.take(metric)
        taken.take(getattr(type(metric), "__call__", None))  # noqa: B004  what it closes over
    except (OSError, SyntaxError, RecursionError):
        taken = _Taken()
    own = f" {digest(sorted(taken.texts))[:_DIGITS]}" if taken.has_code else ""
    try:
        return f"{library} {version(library)}{own}"
    except PackageNotFoundError:  # it is there under another name
        return f"{library}{own}"


@dataclass
class _Taken:
    """What an identity is taken of, as it is found."""

    texts: set[str] = field(default_factory=set)
    has_code: bool = False
    _seen: dict[int, object] = field(default_factory=dict)
    """What was taken already, held so that no id is given twice."""

    def take(self, found: object, *, is_root: bool = False) -> None:
        """Take the code of something; that of others than the root only if it is the user's."""
        if id(found) in self._seen:
            return
        self._seen[id(found)] = found
        if isinstance(found, partial):
            self.take(found.func, is_root=is_root)
            self._note_all({str(place): value for place, value in enumerate(found.args)})
            self._note_all(found.keywords)
        elif isinstance(found, MethodType):
            self.take(found.__func__, is_root=is_root)
            self.take(found.__self__)
        elif isinstance(found, FunctionType):
            self._take_source(found, is_root=is_root)
            self.take(getattr(found, "__wrapped__", None))
            self._note_all(_closed_over(found))
        elif isinstance(found, type):
            self._take_source(found, is_root=is_root)
        elif is_root or _is_users(type(found)):
            self.take(type(found), is_root=is_root)
            self._note_all(_held_by(found))

    def note(self, name: str, value: object) -> None:
        """Take a value that code was made with: code of the user, or what JSON can tell."""
        if callable(value) or _is_users(type(value)):
            self.take(value)
            return
        plain = sorted(map(repr, value)) if isinstance(value, set | frozenset) else value
        try:
            self.texts.add(f"{name}={canonical_json(plain).decode()}")
        except (TypeError, UnicodeDecodeError):
            return

    def _note_all(self, values: Mapping[str, object]) -> None:
        for name, value in values.items():
            self.note(name, value)

    def _take_source(self, found: type | FunctionType, *, is_root: bool) -> None:
        if not (is_root or _is_users(found)):
            return
        try:
            definition = _definition(found)
        except TypeError:  # of a class that was made without a file
            return
        if definition is None:
            return
        self.has_code = True
        self.texts.add("".join(_tokens(definition.node)))
        self.texts.update("".join(_tokens(node)) for node in reached(definition))


def _definition(found: type | FunctionType) -> Definition | None:
    """Return the statement at the top of its module, or the method, that a thing is defined in."""
    lines, place = inspect.findsource(found)
    source = Source(Path(inspect.getsourcefile(found) or "").absolute(), "".join(lines))
    scope, body = None, source.tree.body
    while (statement := _around(body, place + 1)) is not None:
        if not isinstance(statement, ast.ClassDef) or isinstance(found, type):
            return Definition(source, _bare(statement, found), scope)
        scope, body = statement, statement.body
    return None


def _around(body: list[ast.stmt], line: int) -> ast.stmt | None:
    return next((one for one in body if _first(one) <= line <= (one.end_lineno or 0)), None)


def _first(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(one.lineno for one in decorators)])


def _bare(statement: ast.stmt, found: type | FunctionType) -> ast.AST:
    """Return a function without its name and decorators: what wraps it is found by itself."""
    if not isinstance(statement, _FUNCTIONS) or statement.name != found.__name__:
        return statement
    bare = copy.copy(statement)
    bare.name, bare.decorator_list = "", []
    return bare


def _tokens(root: ast.AST) -> Iterator[str]:
    """Yield what a tree says: no positions, no docstrings, and nothing that is empty.

    `ast.dump` would do, if all versions of Python gave the same.
    """
    waiting: list[object] = [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.AST):
            yield f"({type(one).__name__}"
            waiting.append(_Mark(")"))
            for name, value in reversed([*_fields(one)]):
                waiting += [value, _Mark(f" {name}=")]
        elif isinstance(one, list):
            yield "["
            waiting += [_Mark("]"), *reversed(one)]
        else:
            yield one if isinstance(one, _Mark) else f"{one!r},"


class _Mark(str):
    """Punctuation, which is no constant of the code."""

    __slots__ = ()


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    for name, value in ast.iter_fields(node):
        said = _without_docstring(node) if name == "body" else value
        if isinstance(node, ast.JoinedStr):  # Python 3.12 has empty parts in some
            said = [one for one in value if getattr(one, "value", None) != ""]
        is_constant = isinstance(node, ast.Constant) and name == "value"
        if is_constant or not (said is None or said == [] or name in _SAYS_NOTHING):
            yield name, said


def _without_docstring(node: ast.AST) -> object:
    if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
        return node.body[1:]
    return getattr(node, "body", None)


def _closed_over(function: FunctionType) -> dict[str, object]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    found: dict[str, object] = {}
    for name, cell in cells:
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not bound yet
            continue
    return found


def _held_by(found: object) -> dict[str, object]:
    if is_dataclass(found):
        return {one.name: getattr(found, one.name, None) for one in fields(found)}
    return dict(getattr(found, "__dict__", {}))


def _is_users(found: type | FunctionType) -> bool:
    """Say whether code is neither a library's nor Python's nor ours."""
    if found.__module__.partition(".")[0] == "linenotes":
        return False
    try:
        path = Path(inspect.getfile(found)).absolute()
    except (OSError, TypeError):
        return False
    return not INSTALLED & {*path.parts} and not path.is_relative_to(_PYTHON)
