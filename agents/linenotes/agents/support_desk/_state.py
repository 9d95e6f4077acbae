"""What travels through the desk: one customer's message, and what was decided about it."""

from __future__ import annotations

from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.graph.message import add_messages

from linenotes.project import LinenotesError


class DeskInput(TypedDict):
    """What the desk is given."""

    messages: Annotated[list[AnyMessage], add_messages]


class DeskOutput(DeskInput):
    """What the desk returns: the last message is its answer to the customer."""

    team: str
    intent: str


class DeskState(DeskOutput, total=False):
    """What the agents hand to one another."""

    disputed: tuple[str, str] | None
    """The teams of triage and of the reviewer, where the reviewer sent the case back."""


def customers_words(state: DeskState) -> str:
    """Return what the customer wrote last.

    Raises:
        LinenotesError: there is no message of a customer.
    """
    for message in reversed(state.get("messages", [])):
        if isinstance(message, HumanMessage) and message.text.strip():
            return message.text.strip()
    raise LinenotesError(
        "The support desk got no message of a customer. "
        'Give it {"messages": [{"role": "user", "content": "what is my balance"}]}.'
    )
