"""A conversation as a picture: one line of life an actor, one arrow a delivery.

The picture is an SVG in a Markdown image, since MLflow's pages render neither Mermaid nor HTML.
It stays small however long the conversation is: the middle of a long one is left out, and the
picture says so.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from linenotes.tracing._ledger import Message
from linenotes.tracing.views._one_line import one_line

MAX_ARROWS = 30
"""More deliveries than this are shown as the first and the last of them."""

_LANE = 150
_ROW = 34
_TOP = 46
_LETTERS_A_PIXEL = 1 / 6.2
_STYLE = (
    "text{font:12px sans-serif;text-anchor:middle;fill:#1f272d}"
    ".b{fill:#e8eefc;stroke:#6f8fd8}.l{stroke:#b9c0c7;stroke-dasharray:4 4}"
    ".a{stroke:#3a434b;fill:none;marker-end:url(#h)}.q{stroke-dasharray:5 3}"
)


def sequence_diagram(messages: Sequence[Message]) -> str:
    """Return `messages` as a Markdown image, or the empty text when nothing was delivered."""
    arrows = [(m, recipient) for m in messages for recipient in m.recipients]
    if not arrows:
        return ""
    head, tail = arrows, []
    if len(arrows) > MAX_ARROWS:
        head, tail = arrows[: MAX_ARROWS // 2], arrows[-MAX_ARROWS // 2 :]
    svg = _svg(head, tail, left_out=len(arrows) - len(head) - len(tail))
    return f"![Who said what to whom](data:image/svg+xml;base64,{b64encode(svg.encode()).decode()})"


def _svg(head: list[tuple[Message, str]], tail: list[tuple[Message, str]], *, left_out: int) -> str:
    shown = [*head, *tail]
    actors = dict.fromkeys(actor for m, recipient in shown for actor in (m.sender, recipient))
    lanes = {actor: _LANE * i + _LANE // 2 for i, actor in enumerate(actors)}
    rows = len(shown) + bool(left_out)
    width, height = _LANE * len(lanes), _TOP + _ROW * rows + 10
    parts = [_actor(actor, x, height) for actor, x in lanes.items()]
    for row, (message, recipient) in enumerate(head):
        parts.append(_arrow(message, lanes[message.sender], lanes[recipient], _y(row)))
    if left_out:
        parts.append(_text(f"… {left_out} more …", width // 2, _y(len(head)), letters=40))
    for row, (message, recipient) in enumerate(tail, start=rows - len(tail)):
        parts.append(_arrow(message, lanes[message.sender], lanes[recipient], _y(row)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<style>{_STYLE}</style><defs><marker id="h" markerWidth="8" markerHeight="8" refX="7" '
        'refY="3" orient="auto"><path d="M0,0 7,3 0,6z" fill="#3a434b"/></marker></defs>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>'
    )


def _y(row: int) -> int:
    return _TOP + _ROW * row + 22


def _actor(name: str, x: int, height: int) -> str:
    return (
        f'<path class="l" d="M{x},30V{height}"/>'
        f'<rect class="b" x="{x - 62}" y="6" width="124" height="24" rx="4"/>'
        f"{_text(name, x, 22, letters=18)}"
    )


def _arrow(message: Message, start: int, end: int, y: int) -> str:
    dashed = " q" if message.kind in ("result", "ack") else ""
    if start == end:
        loop = f'<path class="a{dashed}" d="M{start},{y - 8}h26v8h-26"/>'
        return loop + _text(message.text, start + 80, y - 2, letters=14)
    letters = int((abs(end - start) - 8) * _LETTERS_A_PIXEL)
    line = f'<path class="a{dashed}" d="M{start},{y}H{end}"/>'
    return line + _text(message.text, (start + end) // 2, y - 6, letters=min(letters, 60))


def _text(text: str, x: int, y: int, *, letters: int) -> str:
    # XML has no way to write most of the characters that cannot be printed.
    return f'<text x="{x}" y="{y}">{escape(one_line(text, letters), quote=False)}</text>'
