"""A conversation as a Mermaid sequence diagram, for READMEs, issues and wikis."""

from __future__ import annotations

from collections.abc import Sequence

from linenotes.tracing._ledger import Message
from linenotes.tracing.views._focus import side_by_side
from linenotes.tracing.views._incidents import Incident
from linenotes.tracing.views._one_line import one_line

_LONGEST = 80
_ARROWS = {"result": "-->>", "ack": "-->>", "handoff": "-)", "delegate": "-)", "send": "-)"}
"""What comes back is dashed, what hands work over is open; all else is a plain arrow."""


def mermaid(told: Sequence[Message | Incident]) -> str:
    """Return messages and incidents as the text of a `sequenceDiagram`."""
    aliases = {actor: f"a{number}" for number, actor in enumerate(_actors(told))}
    lines = [f"    participant {alias} as {_text(actor)}" for actor, alias in aliases.items()]
    for item in told:
        lines += _lines(item, aliases)
    return "\n".join(["sequenceDiagram", *lines]) + "\n"


def _actors(told: Sequence[Message | Incident]) -> list[str]:
    found: dict[str, None] = {}
    for item in told:
        if isinstance(item, Message):
            found |= dict.fromkeys((item.sender, *item.recipients))
        elif item.actor:
            found[item.actor] = None
    return side_by_side(found)


def _lines(item: Message | Incident, aliases: dict[str, str]) -> list[str]:
    if isinstance(item, Incident):
        return _note(
            f"{item.mark} {item.title}: {item.text}", aliases.get(item.actor or ""), aliases
        )
    sender = aliases[item.sender]
    if not item.recipients:
        return _note(item.text, sender, aliases)
    arrow = _ARROWS.get(item.kind, "->>")
    return [f"    {sender}{arrow}{aliases[to]}: {_text(item.text)}" for to in item.recipients]


def _note(text: str, alias: str | None, aliases: dict[str, str]) -> list[str]:
    """Return a note over one actor, or over all of them; nobody to stand over is no note."""
    over = alias or ",".join(dict.fromkeys((*[*aliases.values()][:1], *[*aliases.values()][-1:])))
    return [f"    Note over {over}: {_text(text)}"] if over else []


def _text(text: str) -> str:
    """Return `text` on one line, with whatever Mermaid or HTML would read written as entities."""
    short = one_line(text, _LONGEST)
    return "".join(f"#{ord(c)};" if c in _MEANS_SOMETHING else c for c in short) or "(nothing)"


_MEANS_SOMETHING = frozenset("#;<>&\"'`:{}[]()%\\$")
