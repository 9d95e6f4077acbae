"""linenotes' own view of a trace in MLflow's pages: who said what to whom.

A view is one experiment tag with A2UI JSON. It cannot loop and has no data of its own: it binds
to attributes that every trace carries on its spans, so it is the same for all traces. A person
picks it from the menu of views above a trace.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson

from linenotes.tracing._ledger import Message
from linenotes.tracing.views._one_line import one_line

if TYPE_CHECKING:
    from pydantic import JsonValue

PANEL_TAG = "mlflow.customView.view.v1.linenotes"
DIAGRAM = "linenotes.view.diagram"
"""Root attribute: the sequence diagram, as Markdown."""
CONVERSATION = "linenotes.view.conversation"
"""Root attribute: the messages, as Markdown."""
MESSAGES = "linenotes.view.messages"
"""Root attribute: how many messages there are."""
MAIL = "linenotes.view.mail"
"""Attribute of a span of an agent: what it received and sent, as Markdown."""

_AGENTS_A_ROW = 2
_MAX_AGENT_ROWS = 4
_MAX_MESSAGE = 1_200
_MAX_MAIL = 300
_MAX_TITLE = 200
_MAX_CONVERSATION = 20_000
_MARKDOWN = re.compile(r"[\\`*_\[\]<>!~#&|]")
"""What means something in a title, which is a name as strangers may have written it."""


def trace_panel() -> str:
    """Return the value of the experiment tag that adds the view."""
    components: list[dict[str, JsonValue]] = [
        _part("root", "Column", children=["cards", "scores", "talk", "agents"]),
        *_cards(),
        _part(
            "scores",
            "AssessmentBoard",
            title="Scores",
            icon="checklist",
            children={"$source": "assessments"},
            emptyMessage="This trace has no scores.",
        ),
        _part("talk", "Column", children=["talk-title", "diagram", "messages"]),
        _part("talk-title", "Text", variant="h3", text="Conversation"),
        _part("diagram", "Markdown", text=_attribute("root", DIAGRAM)),
        _part("messages", "Markdown", text=_attribute("root", CONVERSATION)),
        *_agents(),
    ]
    view: dict[str, JsonValue] = {
        "id": "linenotes",
        "name": "Agents",
        "label": "Agents: who said what to whom",
        "instruction": "Show the conversation between the agents, and its scores.",
        "template": [
            {
                "version": "v0.9",
                "updateComponents": {"surfaceId": "main", "components": list(components)},
            }
        ],
        "createdAtMs": 1,
    }
    return orjson.dumps(view).decode()


def conversation(messages: Sequence[Message]) -> str:
    """Return `messages` as Markdown, cut where it gets too long to read in a panel."""
    shown: list[str] = []
    size = 0
    for message in messages:
        part = _paragraph(message.route, message.text, _MAX_MESSAGE)
        size += len(part)
        if size > _MAX_CONVERSATION:
            shown.append(f"*… {len(messages) - len(shown)} more messages*")
            break
        shown.append(part)
    return "\n\n".join(shown)


def mail(received: Sequence[Message], sent: Sequence[Message]) -> str:
    """Return what one agent received and sent as Markdown."""
    parts = [_paragraph(f"{m.sender} →", m.text, _MAX_MAIL) for m in received]
    parts += [_paragraph(f"→ {', '.join(m.recipients)}", m.text, _MAX_MAIL) for m in sent]
    return "\n\n".join(parts)


def _cards() -> list[dict[str, JsonValue]]:
    shown: dict[str, tuple[str, JsonValue]] = {
        "Status": ("checklist", {"$source": "metrics.status"}),
        "Latency": ("clock", {"$source": "metrics.latency"}),
        "Tokens": ("hash", {"$source": "metrics.totalTokens"}),
        "Messages": ("hash", _attribute("root", MESSAGES)),
    }
    row = _part("cards", "Row", align="stretch", children=[f"card-{label}" for label in shown])
    return [
        row,
        *(
            _part(f"card-{label}", "StatCard", value=value, label=label, icon=icon, tone="info")
            for label, (icon, value) in shown.items()
        ),
    ]


def _agents() -> list[dict[str, JsonValue]]:
    rows = [f"agents-{row}" for row in range(_MAX_AGENT_ROWS)]
    parts = [_part("agents", "Column", children=["agents-title", *rows])]
    parts.append(_part("agents-title", "Text", variant="h3", text="Agents"))
    for row, name in enumerate(rows):
        numbers = range(row * _AGENTS_A_ROW, (row + 1) * _AGENTS_A_ROW)
        cards = [f"agent-{n}" for n in numbers]
        parts.append(_part(name, "Row", align="stretch", children=cards))
        parts += [part for n in numbers for part in _agent(f"agent-{n}", n)]
    return parts


def _agent(name: str, number: int) -> list[dict[str, JsonValue]]:
    span: dict[str, JsonValue] = {"type": "AGENT", "nth": number}
    title = {"$source": "spanField", "spanRef": span, "field": "name"}
    return [
        _part(name, "Card", child=f"{name}-all", renderIfSpan=span, weight=1),
        _part(f"{name}-all", "Column", children=[f"{name}-name", f"{name}-mail"]),
        _part(f"{name}-name", "Text", variant="h4", text=title),
        _part(f"{name}-mail", "Markdown", text=_attribute(span, MAIL)),
    ]


def _part(name: str, component: str, **properties: object) -> dict[str, JsonValue]:
    return {"id": name, "component": component, **properties}  # type: ignore[dict-item]


def _attribute(span: JsonValue, name: str) -> dict[str, JsonValue]:
    return {"$source": "spanField", "spanRef": span, "field": "attributes", "path": [name]}


def _paragraph(title: str, text: str, longest: int) -> str:
    plain = _MARKDOWN.sub(r"\\\g<0>", one_line(title, _MAX_TITLE))
    cut = text if len(text) <= longest else text[:longest] + " …"
    # Text, not a picture from elsewhere; a backslash would be undone by one that stands before it.
    inert = cut.replace("![", "!&#91;").replace("<", "&lt;")
    return f"**{plain}**  \n{inert}"
