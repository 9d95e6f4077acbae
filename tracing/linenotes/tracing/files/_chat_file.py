"""Conversations in the OpenAI chat format, in the shapes that benchmarks and logs write.

A record is an object with a list of messages and, beside it, a task, a trial and a reward, as
tau-bench writes them; or a bare list of messages. A file is one record, a list of records, an
object with such a list, or a record a line. Tasks that occur several times are trials of one case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from linenotes.project import TraceFileError
from linenotes.tracing._trace import trace_id_for
from linenotes.tracing._values import json_value
from linenotes.tracing.files._chat_messages import (
    ChatMessage,
    first_key,
    looks_like_a_message,
    nanoseconds,
    read_messages,
)
from linenotes.tracing.files._imported import ImportedConversation

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.tracing.files._json_file import Document

_MESSAGE_KEYS = ("messages", "traj", "trajectory", "conversation", "conversations", "history")
_RECORD_KEYS = (
    "simulations",
    "trajectories",
    "records",
    "samples",
    "results",
    "conversations",
    "data",
)
_TASK_KEYS = ("task_id", "case_id", "case", "task", "question_id", "instance_id", "id")
_TRIAL_KEYS = ("trial", "sample", "trial_id", "attempt")
_MAX_DIGITS = 18
"""Of a trial's number in quotes."""
_REWARD_KEYS = ("reward", "score")
_START_KEYS = ("start_time", "started_at", "timestamp", "created_at")
_EXPECTATION_KEYS = frozenset(
    {"actions", "outputs", "expectations", "evaluation_criteria", "answer"}
)
"""The parts of a task that say what is right; the others say what is asked."""
_EXPECTED = (
    f"A record is an object with a list of messages under one of {', '.join(_MESSAGE_KEYS)}, "
    "or a bare list of messages; a message has a role and content."
)


@dataclass(frozen=True, slots=True)
class ChatReading:
    """What a file of chats does not say by itself."""

    agent: str
    """The actor of assistant messages without a name."""
    metric: str
    """The name under which a reward becomes a score."""
    identity: str
    """What the ids of the traces follow from, together with case and sample."""
    start_ns: int
    """The time of conversations that have none."""


@dataclass(frozen=True, slots=True)
class _Record:
    place: str
    fields: Mapping[str, JsonValue]
    messages: tuple[ChatMessage, ...]

    @property
    def sources(self) -> tuple[Mapping[str, JsonValue], ...]:
        """The objects that may describe the task and the error: the record, and its `info`."""
        info = self.fields.get("info")
        return (self.fields, info) if isinstance(info, dict) else (self.fields,)


def read_chats(
    documents: Iterable[Document], reading: ChatReading
) -> Iterator[ImportedConversation]:
    """Yield the conversations of a file in their order.

    Raises:
        TraceFileError: something is no record; it is named by its place and key.
    """
    trials: Counter[str] = Counter()
    for number, record in enumerate(_records(documents), start=1):
        task = _task(record)
        case = task or f"conversation-{number}"
        sample = _trial(record, trials[case])
        trials[case] += 1
        asked = {} if task else {"question": _question(record)}
        yield _conversation(record, reading, case=case, sample=sample, asked=asked)


def _conversation(
    record: _Record,
    reading: ChatReading,
    *,
    case: str,
    sample: int,
    asked: Mapping[str, JsonValue],
) -> ImportedConversation:
    from linenotes.tracing.files._chat_trace import ChatOrigin, chat_trace, is_timed

    origin = ChatOrigin(
        trace_id=trace_id_for(reading.identity, case, sample),
        agent=reading.agent,
        case=case,
        sample=sample,
        start_ns=_start(record) or reading.start_ns,
        model=_model(record),
        error=_error(record),
    )
    task = _definition(record)
    return ImportedConversation(
        trace=chat_trace(record.messages, origin),
        case=case,
        sample=sample,
        place=record.place,
        inputs={
            "task": case,
            **asked,
            **{key: task[key] for key in task if key not in _EXPECTATION_KEYS},
        },
        expectations={key: task[key] for key in task if key in _EXPECTATION_KEYS and task[key]},
        scores=_scores(record, reading.metric),
        timed=is_timed(record.messages),
    )


def _records(documents: Iterable[Document]) -> Iterator[_Record]:
    documents = iter(documents)
    first = next(documents)
    if looks_like_a_message(first.value):
        lines = list(chain([first], documents))
        values = [line.value for line in lines]
        yield _Record(first.place, {}, read_messages(values, f"{first.place}: message"))
        return
    for document in chain([first], documents):
        for place, value in _values(document):
            yield _record(place, value)


def _values(document: Document) -> Iterator[tuple[str, JsonValue]]:
    """Yield the records of a document with their places."""
    value = document.value
    if isinstance(value, dict) and not _has_messages(value):
        value = next((value[k] for k in _RECORD_KEYS if isinstance(value.get(k), list)), value)
    if not isinstance(value, list) or not value or looks_like_a_message(value[0]):
        yield document.place, value
        return
    for number, item in enumerate(value, start=1):
        yield f"{document.place}: record {number}", item


def _record(place: str, value: JsonValue) -> _Record:
    if value == []:
        raise TraceFileError(f"{place} holds no conversation. {_EXPECTED}")
    if isinstance(value, list):
        value = {"messages": value}
    if not isinstance(value, dict):
        raise TraceFileError(f"{place} is {value!r:.60}, which is no conversation. {_EXPECTED}")
    key = next((key for key in _MESSAGE_KEYS if isinstance(value.get(key), list)), None)
    if key is None:
        found = f"has the keys {', '.join(map(repr, value)) or 'nothing'}"
        raise TraceFileError(f"{place} {found:.200}, and no list of messages. {_EXPECTED}")
    written = value[key]
    assert isinstance(written, list)
    messages = read_messages(written, f"{place}: {key}")
    record = _Record(place, value, messages)
    if not messages and _error(record) is None:
        raise TraceFileError(f"{place}: {key} is empty. A conversation has messages, or an error.")
    return record


def _has_messages(value: Mapping[str, JsonValue]) -> bool:
    listed = (value.get(key) for key in _MESSAGE_KEYS)
    return any(isinstance(v, list) and v and looks_like_a_message(v[0]) for v in listed)


def _task(record: _Record) -> str | None:
    for key in _TASK_KEYS:
        written = record.fields.get(key)
        if isinstance(written, str | int) and not isinstance(written, bool):
            name = " ".join(str(written).split())
            if name:
                return name
        if written is not None and not isinstance(written, dict):
            raise TraceFileError(
                f"{record.place}: {key} is {written!r:.60}. A task is named by text or a number."
            )
    return None


def _trial(record: _Record, counted: int) -> int:
    """Return the number of the trial; without one, trials are counted as they come."""
    key = first_key(record.fields, _TRIAL_KEYS)
    if key is None:
        return counted
    written = record.fields[key]
    if isinstance(written, str) and written.isdecimal() and len(written) <= _MAX_DIGITS:
        written = int(written)
    if not isinstance(written, int) or isinstance(written, bool) or written < 0:
        raise TraceFileError(
            f"{record.place}: {key} is {written!r:.60}. A trial is a whole number from 0 on."
        )
    return written


def _scores(record: _Record, metric: str) -> dict[str, bool | float]:
    nested = record.fields.get("reward_info")
    places: list[tuple[str, Mapping[str, JsonValue]]] = [("", record.fields)]
    if isinstance(nested, dict):
        places.append(("reward_info.", nested))
    for prefix, fields in places:
        if key := first_key(fields, _REWARD_KEYS):
            return {metric: _number(fields[key], f"{record.place}: {prefix}{key}")}
    several = record.fields.get("scores")
    if isinstance(several, dict):
        return {
            name: _number(value, f"{record.place}: scores.{name}")
            for name, value in several.items()
            if value is not None
        }
    return {}


def _number(value: JsonValue, place: str) -> bool | float:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return float(value)
    raise TraceFileError(f"{place} is {value!r:.60}. A reward is a number, true or false.")


def _definition(record: _Record) -> dict[str, JsonValue]:
    """Return the fields of the task, where the file defines it."""
    found = (source.get("task") for source in record.sources)
    task = next((task for task in found if isinstance(task, dict)), {})
    return {key: json_value(value) for key, value in task.items()}


def _question(record: _Record) -> str:
    """Return what the user said first: all that is known of a conversation without a task.

    With a task it is left out: a simulated user begins each trial with other words.
    """
    return next((message.text for message in record.messages if message.role == "user"), "")


def _model(record: _Record) -> str | None:
    model = record.fields.get("model")
    return model if isinstance(model, str) and model else None


def _start(record: _Record) -> int | None:
    key = first_key(record.fields, _START_KEYS)
    return None if key is None else nanoseconds(record.fields[key], f"{record.place}: {key}")


def _error(record: _Record) -> str | None:
    found = (source.get("error") for source in record.sources)
    return next((error for error in found if isinstance(error, str) and error), None)
