"""The supersteps that led to a state, guessed from the state alone.

`durability="exit"` keeps only the last state of a run. Its messages are in the order in which
they were said, so each is taken to have been said by whoever it names, having got all before it.
Whatever the state does not hold is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages import BaseMessage, ToolMessage

from linenotes.tracing.sources._identities import messages_within
from linenotes.tracing.sources._thread_records import Step, ThreadTask

if TYPE_CHECKING:
    from collections.abc import Sequence

_MESSAGES = "messages"
_UNNAMED = "assistant"


def guessed_steps(before: object, after: object, *, at_ns: int, number: int) -> list[Step]:
    """Return supersteps that explain how the state `before` became `after`, one a message.

    The last one ends with superstep `number`.
    """
    known = {message.id for message in messages_within(before)}
    said = [*messages_within(after)]
    new = [i for i, m in enumerate(said) if m.id not in known and m.type not in {"human", "system"}]
    first = number - len(new) + 1
    return [_step(said[:i], said[i], at_ns, first + count) for count, i in enumerate(new)]


def _step(before: Sequence[BaseMessage], said: BaseMessage, at_ns: int, number: int) -> Step:
    node = "tools" if isinstance(said, ToolMessage) else said.name or _UNNAMED
    task = ThreadTask(
        id=f"guessed-{number}",
        node=node,
        namespace=f"{node}:guessed-{number}",
        given={_MESSAGES: [*before]},
        pushed=False,
        writes=((_MESSAGES, [said]),),
    )
    return Step(number, at_ns, at_ns, [task], {_MESSAGES: [*before, said]})
