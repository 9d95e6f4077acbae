"""Formulas over numbers and labels: arithmetic, comparisons and conditions, and nothing else.

A formula is parsed when it is written down, so what it may not hold is told before anything runs.
Its names are metrics; a dot belongs to the name, as in `overlap.recall`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from linenotes.project import ScorerError

Number = int | float
Operand = bool | int | float | str
_BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARED: dict[type[ast.cmpop], Callable[[Operand, Operand], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: dict[str, Callable[[Sequence[Number]], Number]] = {"max": max, "min": min}
_ALLOWED = "numbers, texts, names of metrics, + - * /, comparisons, and/or/not, if/else, min, max"


@dataclass(frozen=True)
class Formula:
    """An expression whose names are looked up when it is worked out."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Formula:
        """Return a formula that can be worked out.

        Raises:
            ScorerError: it holds something else.
        """
        formula = cls(text)
        try:
            for node in _nodes(formula.tree):
                _check(node)
        except (SyntaxError, ValueError, RecursionError) as error:
            raise ScorerError(
                f"The formula {text!r} cannot be read: {error}. It may hold {_ALLOWED}."
            ) from None
        return formula

    @property
    def tree(self) -> ast.expr:
        """The parsed expression."""
        return ast.parse(f"({self.text}\n)", mode="eval").body

    @property
    def names(self) -> tuple[str, ...]:
        """What it looks up, in order of appearance."""
        found = (_name(node) for node in _nodes(self.tree))
        return tuple(dict.fromkeys(name for name in found if name is not None))

    def value(self, known: Mapping[str, Operand]) -> float:
        """Return what it comes to.

        Raises:
            TypeError: it calculates with a label, or comes to something else than a number.
            ZeroDivisionError: it divides by zero.
        """
        found = _value(self.tree, known)
        if isinstance(found, bool | str):
            raise TypeError(f"the formula {self.text!r} comes to {found!r}, which is no number")
        return float(found)


def _nodes(tree: ast.expr) -> list[ast.expr]:
    """Return the expressions of a formula, each before its parts; a dotted name has none."""
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop(0)
        found.append(node)
        if _name(node) is None:
            parts = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
            waiting[:0] = [part for part in parts if isinstance(part, ast.expr)]
    return found


def _check(node: ast.expr) -> None:
    known = isinstance(node, ast.IfExp | ast.BoolOp) or _name(node) is not None
    known = known or (isinstance(node, ast.Constant) and isinstance(node.value, Operand))
    known = known or (isinstance(node, ast.BinOp) and type(node.op) in _BINARY)
    known = known or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd | ast.Not)
    )
    known = known or (
        isinstance(node, ast.Compare) and all(type(one) in _COMPARED for one in node.ops)
    )
    known = known or (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _FUNCTIONS
        and bool(node.args)
        and not node.keywords
    )
    if not known:
        raise ValueError(f"{ast.unparse(node)!r} may not stand in it")


def _name(node: ast.AST) -> str | None:
    """Return `overlap.recall` of such a name; None of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _name(node.value)
        return None if before is None else f"{before}.{node.attr}"
    return None


def _value(node: ast.expr, known: Mapping[str, Operand]) -> Operand:
    """Return what a part comes to."""
    name = _name(node)
    if name is not None:
        return known[name]
    if isinstance(node, ast.Constant):
        return cast("Operand", node.value)
    if isinstance(node, ast.IfExp):
        return _value(node.body if _value(node.test, known) else node.orelse, known)
    if isinstance(node, ast.BoolOp | ast.Compare) or _is_not(node):
        return _truth(node, known)
    return _calculated(node, known)


def _truth(node: ast.expr, known: Mapping[str, Operand]) -> bool:
    if isinstance(node, ast.Compare):
        return _holds(node, known)
    if isinstance(node, ast.BoolOp):
        test = all if isinstance(node.op, ast.And) else any
        return test(_value(part, known) for part in node.values)
    return not _value(cast("ast.UnaryOp", node).operand, known)


def _calculated(node: ast.expr, known: Mapping[str, Operand]) -> Number:
    if isinstance(node, ast.BinOp):
        left, right = _number(node.left, known), _number(node.right, known)
        return _BINARY[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp):
        found = _number(node.operand, known)
        return -found if isinstance(node.op, ast.USub) else found
    call = cast("ast.Call", node)
    return _FUNCTIONS[ast.unparse(call.func)]([_number(part, known) for part in call.args])


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _holds(node: ast.Compare, known: Mapping[str, Operand]) -> bool:
    operands = [_value(part, known) for part in (node.left, *node.comparators)]
    pairs = zip(node.ops, operands, operands[1:], strict=False)
    return all(_COMPARED[type(op)](left, right) for op, left, right in pairs)


def _number(node: ast.expr, known: Mapping[str, Operand]) -> Number:
    found = _value(node, known)
    if isinstance(found, str):
        raise TypeError(f"{ast.unparse(node)} is the label {found!r}, and no number")
    return found
