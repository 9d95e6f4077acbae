"""What a cell of a table says: a score, an amount, a text, or nothing.

Formats differ in what they keep apart: CSV knows only text, JSON has numbers and null, and what
pandas writes for a missing value is NaN. All of them come out alike.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal

_NOTHING = {"", "nan", "na", "n/a", "null", "none", "-"}
_WORDS = {"true": True, "yes": True, "false": False, "no": False}
_MOST_SAMPLES = 1_000_000
_MOST = 1e15
"""What is beyond is no measurement, and its square or its nanoseconds would be no number."""
_LONGEST = 366 * 24 * 3600.0


class CellError(ValueError):
    """A cell is not what its column holds; the text says the cure."""


def number(cell: object) -> bool | float | None:
    """Return a score; None where there is none.

    Raises:
        CellError: it is no finite number and no true or false.
    """
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, str):
        words = cell.strip().lower()
        return _WORDS[words] if words in _WORDS else _float(cell, words)
    return _float(cell, cell)


def amount(cell: object) -> float | None:
    """Return a number that is not negative; None where there is none.

    Raises:
        CellError: it is something else.
    """
    words = cell.strip().lower() if isinstance(cell, str) else cell
    found = None if isinstance(cell, bool) else _float(cell, words)
    if isinstance(cell, bool) or (found is not None and found < 0):
        raise CellError(f"{_shown(cell)} is no number from 0 up. Mend it, or leave it empty.")
    return found


def seconds(cell: object) -> float | None:
    """Return how long something took; None where that is not known.

    Raises:
        CellError: it is something else, or longer than any sample.
    """
    found = amount(cell)
    if found is not None and found > _LONGEST:
        raise CellError(
            f"{_shown(cell)} is more seconds than a year has. Mend it, or leave it empty."
        )
    return found


def sample_index(cell: object) -> int | None:
    """Return the number of a sample; None where there is none.

    Raises:
        CellError: it is no whole number from 0 up.
    """
    try:
        found = amount(cell)
    except CellError:
        found = -1.0
    if found is not None and not (0 <= found < _MOST_SAMPLES and found == int(found)):
        raise CellError(
            f"{_shown(cell)} is no number of a sample. Number the samples of a case 0, 1, 2, …"
        )
    return None if found is None else int(found)


def text(cell: object) -> str | None:
    """Return a text; None where there is none. Numbers are texts as they are written.

    Raises:
        CellError: it is a list or an object.
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, bool):
        return str(cell).lower()
    if not isinstance(cell, str | int | float | Decimal):
        raise CellError(f"{_shown(cell)} is no text. Write one.")
    return str(cell).strip() or None


def tag_values(cell: object) -> dict[str, str] | None:
    """Return tags from a JSON object, written out or as the format has it.

    Raises:
        CellError: it is no object of texts.
    """
    found = cell
    if isinstance(cell, str):
        try:
            found = json.loads(cell) if cell.strip() else None
        except (ValueError, RecursionError):
            found = cell
    if found is None or (isinstance(found, float) and math.isnan(found)):
        return None
    if isinstance(found, list):
        found = dict(found) if all(isinstance(pair, tuple) for pair in found) else found
    if not isinstance(found, Mapping):
        raise CellError(f'{_shown(cell)} is no JSON object such as {{"topic": "billing"}}.')
    values = {str(name): text(value) for name, value in found.items()}
    return {name: value for name, value in values.items() if value is not None}


def _float(cell: object, written: object) -> float | None:
    if written is None or (isinstance(written, str) and written in _NOTHING):
        return None
    found = _converted(written)
    if found is None:
        raise CellError(
            f"{_shown(cell)} is no number, and neither true nor false. Mend it, or choose the "
            "columns that are metrics: --metric NAME."
        )
    if math.isinf(found):
        raise CellError(f"{_shown(cell)} is not finite. Leave it empty if it was not scored.")
    if abs(found) > _MOST:
        raise CellError(
            f"{_shown(cell)} is beyond {_MOST:.0e}. Use another unit, or leave it empty."
        )
    return None if math.isnan(found) else found


def _converted(written: object) -> float | None:
    # Python would take 1_000, which nobody means.
    if not isinstance(written, str | int | float | Decimal) or "_" in str(written):
        return None
    try:
        return float(written)
    except (ValueError, OverflowError):
        return None


def _shown(cell: object) -> str:
    written = repr(cell)
    return written if len(written) <= 60 else f"{written[:60]}…"  # noqa: PLR2004  fits a line
