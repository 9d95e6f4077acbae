"""Golden files in YAML: a list of cases, or a mapping with `cases` and perhaps a `name`.

A plain scalar is read as JSON would be: a JSON number, true, false and null are values (also
written True, TRUE, Null, NULL, ~ or left out, as YAML 1.2 has it), and all else is text. So
`no`, `2024-05-01`, `12:30`, `007` and `1_000` are text here, whatever older YAML made of them,
and a case has the same digest as its line in a JSONL file. A quoted scalar is always text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from linenotes.datasets._json_values import MAX_DEPTH, read_json
from linenotes.datasets._rows import Place, Problem, Row, Rows

if TYPE_CHECKING:
    from pydantic import JsonValue

_VALUE = "tag:linenotes,2026:value"
_TEXT = "tag:yaml.org,2002:str"
_PLAIN_VALUE = re.compile(
    r"""(?: -?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?
          | true | True | TRUE | false | False | FALSE
          | null | Null | NULL | ~ |
          | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN) )$""",
    re.VERBOSE,
)
_TOP = "a YAML golden file is a list of cases, or a mapping with `cases` and perhaps a `name`"


class _Loader(yaml.SafeLoader):
    """Builds nodes with their lines; of all plain scalars it knows one kind of value."""


_Loader.yaml_implicit_resolvers = {None: [(_VALUE, _PLAIN_VALUE)]}


def yaml_rows(text: str) -> Rows:
    """Read `text`, the content of a .yaml file."""
    found = Rows()
    try:
        root = yaml.compose(text, Loader=_Loader)
        if root is not None:
            _read_root(root, found)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        found.problems.append(Problem(line, f"not valid YAML: {error.problem or error.context}"))
    except yaml.YAMLError as error:
        found.problems.append(Problem(1, f"not valid YAML: {str(error).splitlines()[0]}"))
    except RecursionError:
        found.problems.append(Problem(1, f"nested deeper than {MAX_DEPTH} levels"))
    return found


def _read_root(root: Node, found: Rows) -> None:
    if isinstance(root, SequenceNode):
        _read_cases(root, found)
        return
    if not isinstance(root, MappingNode):
        found.problems.append(Problem(_line(root), _TOP))
        return
    top: dict[str, Node] = {}
    for key, value in root.value:
        if key.value not in ("name", "cases"):
            found.problems.append(Problem(_line(key), f"unknown key {key.value!r}: {_TOP}"))
        elif key.value in top:
            found.problems.append(Problem(_line(key), f"the key {key.value!r} stands there twice"))
        else:
            top[key.value] = value
    name, cases = top.get("name"), top.get("cases")
    if name is not None:
        _read_name(name, found)
    if isinstance(cases, SequenceNode):
        _read_cases(cases, found)
    else:
        found.problems.append(Problem(_line(cases or root), f"`cases` must be a list: {_TOP}"))


def _read_name(node: Node, found: Rows) -> None:
    if isinstance(node, ScalarNode) and node.tag == _TEXT and node.value.strip():
        found.name = node.value.strip()
    else:
        found.problems.append(Problem(_line(node), "`name` must be text"))


def _read_cases(nodes: SequenceNode, found: Rows) -> None:
    for node in nodes.value:
        builder = _Builder(found.problems)
        fields = builder.value(node, ())
        if isinstance(fields, dict):
            found.rows.append(Row(_line(node), fields, builder.lines))
        else:
            found.problems.append(Problem(_line(node), "a case must be a mapping"))


class _Builder:
    """Makes plain values of one case's nodes, and keeps the line of each."""

    def __init__(self, problems: list[Problem]) -> None:
        self.lines: dict[Place, int] = {}
        self._problems = problems
        self._open: set[int] = set()

    def value(self, node: Node, place: Place) -> JsonValue:
        """Return what `node` stands for; what it cannot stand for becomes a problem."""
        self.lines.setdefault(place, _line(node))
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            self._complain(node, "an alias must not stand inside its own anchor")
            return None
        self._open.add(id(node))
        value = self._collection(node, place)
        self._open.discard(id(node))
        return value

    def _collection(self, node: Node, place: Place) -> JsonValue:
        if node.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self._complain(node, f"the tag {node.tag!r} is not known here")
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]

    def _mapping(self, node: MappingNode, place: Place) -> JsonValue:
        values: dict[str, JsonValue] = {}
        for key, item in node.value:
            if not isinstance(key, ScalarNode):
                self._complain(key, "a key must be text")
                continue
            name = _text(key)
            if name in values:
                self._complain(key, f"the key {name!r} stands there twice")
            if name == "<<":
                self._complain(key, "merge keys are not known here; write the keys out")
            self.lines[*place, name] = _line(key)
            values[name] = self.value(item, (*place, name))
        return values

    def _scalar(self, node: ScalarNode) -> JsonValue:
        if node.tag == _TEXT:
            return _text(node)
        if node.tag != _VALUE:
            self._complain(node, f"the tag {node.tag!r} is not known here")
            return None
        word = node.value.lower()
        if word in ("", "~"):
            return None
        # Not JSON's, so the case that holds it is refused like any other that has one.
        return float(word.replace(".", "")) if word.endswith(("nan", "inf")) else read_json(word)

    def _complain(self, node: Node, text: str) -> None:
        self._problems.append(Problem(_line(node), text))


def _text(node: ScalarNode) -> str:
    """Return the scalar's text; JSON escapes some letters as two halves, and PyYAML leaves two."""
    halves: bytes = node.value.encode("utf-16-le", "surrogatepass")
    return halves.decode("utf-16-le", "surrogatepass")


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
