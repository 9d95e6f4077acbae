"""A text as one short line, for diagrams and titles."""

from __future__ import annotations


def one_line(text: str, longest: int) -> str:
    """Return `text` on one line without what cannot be printed, cut at `longest` characters."""
    printable = text.isprintable()  # as most are
    shown = text if printable else "".join(c if c.isprintable() else " " for c in text)
    line = " ".join(shown.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
