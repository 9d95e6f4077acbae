from __future__ import annotations

import io

from linenotes.cli._plain_signs import plain_signs


def written(text: str, encoding: str) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=plain_signs())
    stream.write(text)
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode(encoding)


def test_marks_can_be_told_apart_where_a_terminal_has_ascii_only() -> None:
    assert written("case-0 ✗✓·✓  a → b", "ascii") == "case-0 x+.+  a > b"


def test_every_sign_takes_one_column_and_what_is_unknown_is_a_question_mark() -> None:
    assert written("≠ ← … │├└─ 漢 é", "ascii") == "! < ~ ||`- ? ?"


def test_what_a_terminal_can_show_is_left_alone() -> None:
    assert written("✗✓ é →", "utf-8") == "✗✓ é →"
    assert written("✗ é", "latin-1") == "x é"
