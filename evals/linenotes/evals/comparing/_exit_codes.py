"""What commands end with that decide: one number a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linenotes.evals.comparing._comparison import GateVerdict

_CODES: Mapping[GateVerdict, int] = MappingProxyType(
    {"pass": 0, "unchanged": 0, "fail": 1, "cannot measure": 2}
)


def exit_code(verdict: GateVerdict, *, margin: float, inconclusive: int = 3) -> int:
    """Return 0 for pass or unchanged, 1 for fail, 2 for cannot measure, else `inconclusive`.

    What is identical is not better: with a margin of 0, where only what is better passes,
    unchanged is inconclusive, too.
    """
    if verdict == "unchanged" and margin == 0:
        return inconclusive
    return _CODES.get(verdict, inconclusive)
