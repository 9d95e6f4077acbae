"""One recorded call, and the line of a file that holds it.

A call is known by what was asked, never by when or with which id: the case, the sample, the path of
the agent, the fingerprint of the request and its ordinal among equal ones. The configured model is
a part of the key, so that recordings of two models stand beside one another and neither is mistaken
for the other.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple, cast, get_args

import orjson
from pydantic import JsonValue, TypeAdapter

CallKind = Literal["model", "tool"]
AnswerKind = Literal["message", "value", "refusal", "runs", "unstorable"]
"""`runs`: the call is code in which other calls were recorded, so it runs again.
`unstorable`: it gave what no file holds."""

_HEAD = re.compile(rb'\{"case":("(?:[^"\\]|\\.)*"),"sample":(\d+),')


class CallKey(NamedTuple):
    """What a call is known by."""

    case: str
    sample: int
    agent: str
    """The path of the agent that called."""
    kind: CallKind
    model: str
    """The model as it is configured; of a tool its name."""
    request: str
    """The fingerprint of what was asked."""
    ordinal: int
    """Which of the equal requests of this agent it is, from 0."""

    @property
    def text(self) -> str:
        """The key on one line."""
        return "\x1f".join(map(str, self))

    @property
    def message_id(self) -> str:
        """The id of the answer where its provider gives none: the same whenever it is replayed."""
        return f"lc_run--{uuid.uuid5(uuid.NAMESPACE_OID, self.text)}"


_KEY = TypeAdapter(CallKey)


@dataclass(frozen=True)
class RecordedCall:
    """A call that was made, and its answer."""

    key: CallKey
    answer: AnswerKind
    content: JsonValue
    asked: JsonValue
    """The request as a person compares it with another."""
    answered_by: str | None = None
    """The id of the model that really answered."""
    seconds: float = 0.0
    recorded: str = ""
    """When, in UTC."""
    shown_request: str | None = None
    """The fingerprint of the request as redacted, where that differs: an answer that is replayed
    holds placeholders, and so do the requests that it leads to."""

    def line(self) -> bytes:
        """Return the call as a line of a file."""
        rest = {k: v for k, v in asdict(self).items() if k != "key"}
        # Case and sample stand first, so that a file can be indexed without reading it whole.
        head = {"case": self.key.case, "sample": self.key.sample}
        return orjson.dumps(
            {**head, **self.key._asdict(), **rest}, option=orjson.OPT_APPEND_NEWLINE
        )

    @classmethod
    def of(cls, line: bytes) -> RecordedCall:
        """Return the call that a line holds.

        Raises:
            ValueError: it holds none.
        """
        try:
            held = orjson.loads(line)
            key = _KEY.validate_python([held.pop(name) for name in CallKey._fields], strict=True)
            found = cls(key=key, **held)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"no recorded call: {error}") from error
        if found.answer not in get_args(AnswerKind):
            raise ValueError(f"no recorded call: an answer of the kind {found.answer!r}")
        return found


def sample_of(line: bytes) -> tuple[str, int]:
    """Return the case and the sample of a line, without reading the rest.

    Raises:
        ValueError: it holds no recorded call.
    """
    head = _HEAD.match(line)
    if head is None:
        raise ValueError("no recorded call")
    return cast("str", orjson.loads(head[1])), int(head[2])
