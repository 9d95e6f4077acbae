"""What code a score was given by: one short digest, equal as long as the code says the same.

It is taken of the parsed definition and of all that it stands on in the project, without comments,
docstrings, positions and formatting, so that it is the same on each machine and for each version of
Python. Numbers that the code was made with count, too, also in tuples: what a closure, a default, a
partial or an object holds. Texts do not, since they are often keys, addresses and paths of one
machine, nor do lists and dictionaries, which often fill while the code runs: two scorers of one
factory that differ in those alone have one identity. A scorer that a file names has its whole
statement counted, and so all that is written there. Code of installed libraries is not read, unless
it is itself the scorer; a metric of theirs is known by the library's version. Python's own is never
read: what it wraps counts.
"""

from __future__ import annotations

import ast
import copy
import inspect
import math
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import FunctionType, MethodType

from linenotes.evals.scorers._reached_code import (
    INSTALLED,
    Definition,
    Source,
    reached,
    reached_by_name,
)
from linenotes.project import canonical_json, digest

_DIGITS = 12
_DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SAYS_NOTHING = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
OF_LAST_SCORE = frozenset({"score", "reason", "success", "error", "verbose_logs"})
"""What a DeepEval metric keeps of the sample that it judged last."""
_NUMBERS = bool | int | float
_PYTHON = sysconfig.get_path("stdlib")


def code_identity(found: object, beside: Mapping[str, object] | None = None) -> str | None:
    """Return the identity of the code of a function, a class, or an object by its class.

    Its own name and decorators do not count, except for those that wrap it.

    Args:
        found: whose code it is.
        beside: what it is called with, of which those values count that JSON can tell.

    Returns:
        12 hex digits; None where the code has no source.
    """
    taken = _Taken()
    try:
        taken.take(found, is_root=True)
        taken.note_all(beside or {})
    except RecursionError:
        return None
    return digest(sorted(taken.texts))[:_DIGITS] if taken.has_code else None


def named_identity(code: str | None, path: Path, name: str) -> str | None:
    """Return the identity of what a module binds to a name: its statements, and `code` of it."""
    texts = {"".join(_tokens(node)) for node in reached_by_name(path, name)}
    return digest([code, *sorted(texts)])[:_DIGITS] if texts else code


def library_identity(library: str, metric: object) -> str:
    """Return the identity of a library's metric: its version, and what the user made it with.

    That are its parameters, and functions and classes of the user.
    """
    taken = _Taken()
    held = {name: one for name, one in _held_by(metric).items() if name not in OF_LAST_SCORE}
    try:
        taken.take(type(metric))
        taken.note_all(held)
    except RecursionError:
        taken = _Taken()
    return f"{library} {version(library)} {digest(sorted(taken.texts))[:_DIGITS]}"


def users_class(metric: object) -> str | None:
    """Return the identity of the class of an object; None where it is a library's own."""
    return code_identity(type(metric)) if _is_users(type(metric)) else None


@dataclass
class _Taken:
    """What an identity is taken of, as it is found."""

    texts: set[str] = field(default_factory=set)
    has_code: bool = False
    _seen: dict[int, object] = field(default_factory=dict)
    """What was taken already, held so that no id is given twice."""

    def take(self, found: object, place: str = "", *, is_root: bool = False) -> None:
        """Take the code of something; that of others than the root only if it is the user's.

        Args:
            found: whose code it is.
            place: by which names the root holds it.
            is_root: whether it is the root.
        """
        if id(found) in self._seen:
            return
        self._seen[id(found)] = found
        if isinstance(found, partial):
            self.take(found.func, _within(place, "func"), is_root=is_root)
            self._note_held({str(at): value for at, value in enumerate(found.args)}, place)
            self._note_held(found.keywords, place)
        elif isinstance(found, MethodType):
            self.take(found.__func__, place, is_root=is_root)
            self.take(found.__self__, place)
        elif isinstance(found, FunctionType):
            self._take_source(found, is_root=is_root)
            self.take(getattr(found, "__wrapped__", None), _within(place, "wrapped"))
            self._note_held({**_defaults(found), **_closed_over(found)}, place)
        elif isinstance(found, type):
            self._take_source(found, is_root=is_root)
        elif is_root or _is_users(type(found)):
            self.take(type(found), place, is_root=is_root)
            self._note_held(_held_by(found), place)

    def note_all(self, values: Mapping[str, object], place: str = "") -> None:
        """Take values that code is called with: code of the user, and what JSON can tell."""
        for name, value in values.items():
            here = _within(place, name)
            if callable(value) or _is_users(type(value)):
                self.take(value, here)
                continue
            plain = sorted(map(repr, value)) if isinstance(value, set | frozenset) else value
            with suppress(TypeError):  # of what JSON cannot tell
                self.texts.add(f"{here}={canonical_json(plain).decode()}")

    def _note_held(self, values: Mapping[str, object], place: str) -> None:
        """Take values that code holds: code of the user, and numbers, also in tuples."""
        for name, value in values.items():
            here = _within(place, name)
            if isinstance(value, tuple):
                self._note_held({str(at): one for at, one in enumerate(value)}, here)
            elif isinstance(value, float) and not math.isfinite(value):  # of which JSON has none
                self.texts.add(f"{here}={value}")
            elif isinstance(value, _NUMBERS) or callable(value) or _is_users(type(value)):
                self.note_all({name: value}, place)

    def _take_source(self, found: type | FunctionType, *, is_root: bool) -> None:
        if not (_is_users(found) or (is_root and not _is_pythons(found))):
            return
        try:
            definition = _definition(found)
        except (OSError, SyntaxError, TypeError):  # of what no file holds
            return
        if definition is None:
            return
        self.has_code = True
        self.texts.add("".join(_tokens(definition.node)))
        self.texts.update("".join(_tokens(node)) for node in reached(definition))


def _within(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


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


def _defaults(function: FunctionType) -> dict[str, object]:
    """Return what arguments are where they are not given."""
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    last = zip(reversed(positional), reversed(function.__defaults__ or ()), strict=False)
    return {**dict(last), **(function.__kwdefaults__ or {})}


def _held_by(found: object) -> dict[str, object]:
    if is_dataclass(found):
        names = [one.name for one in fields(found)]
    else:
        names = [*getattr(found, "__dict__", {}), *_slots(type(found))]
    return {name: getattr(found, name, None) for name in names}


def _slots(kind: type) -> list[str]:
    listed = (vars(one).get("__slots__", ()) for one in kind.__mro__)
    slots = (name for one in listed for name in ([one] if isinstance(one, str) else one))
    return [name for name in slots if name not in ("__dict__", "__weakref__")]


def _is_users(found: type | FunctionType) -> bool:
    """Say whether code is neither a library's nor Python's nor ours."""
    if str(found.__module__).partition(".")[0] == "linenotes":
        return False
    path = _file(found)
    return path is not None and not INSTALLED & {*path.parts} and not _is_pythons(found)


def _is_pythons(found: type | FunctionType) -> bool:
    path = _file(found)
    if path is None or INSTALLED & {*path.parts}:
        return False
    return path.is_relative_to(_PYTHON)


def _file(found: type | FunctionType) -> Path | None:
    try:
        return Path(inspect.getfile(found)).absolute()
    except (OSError, TypeError):
        return None
