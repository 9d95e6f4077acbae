from __future__ import annotations

import pytest

from linenotes.tracing.views._one_line import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("as it is", "as it is"),
        ("two\nlines\tand\x00 more", "two lines and more"),
        ("\u202eturned", "turned"),
        ("cut after a word", "cut after…"),
    ],
)
def test_a_text_becomes_one_short_line(text: str, line: str) -> None:
    assert one_line(text, 11 if line.endswith("…") else 40) == line
