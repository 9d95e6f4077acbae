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
    looks_like_a_message,
    nanoseconds,
    read_messages,
)
from linenotes.tracing.files._imported import ImportedConversation

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.tracing.files._json_file import Document

MESSAGES = ("messages", "traj", "trajectory", "conversation", "conversations", "history")
_RECORDS = ("simulations", "trajectories", "records", "samples", "results", "conversations", "data")
_TASK = ("task_id", "case_id", "case", "task", "question_id", "instance_id", "id")
_TRIAL = ("trial", "sample", "trial_id", "attempt")
_DIGITS = 18
"""Of a number in quotes; no trial has more."""
_REWARD = ("reward", "score")
_START = ("start_time", "started_at", "timestamp", "created_at")
_RIGHT = frozenset({"actions", "outputs", "expectations", "evaluation_criteria", "answer"})
"""Parts of a task that say what is right; the others say what is asked."""
_READ = (
    f"A record is an object with a list of messages under one of {', '.join(MESSAGES)}, "
    "or a bare list of messages; a message has a role and content."
)


@dataclass(frozen=True, slots=True)
class ChatReading:
    """How the chats of a file are to be understood."""

    agent: str
    """The actor of assistant messages without a name."""
    metric: str
    """The name of a reward."""
    identity: str
    """What the ids of the traces follow from, together with case and sample."""
    start_ns: int
    """The time of conversations that have none."""


@dataclass(frozen=True, slots=True)
class _Record:
    place: str
    fields: Mapping[str, JsonValue]
    messages: tuple[ChatMessage, ...]


def read_chats(
    documents: Iterable[Document], reading: ChatReading
) -> Iterator[ImportedConversation]:
    """Yield the conversations of a file in their order.

    Raises:
        TraceFileError: something is no record; it is named by its place and key.
    """
    from linenotes.tracing.files._chat_trace import ChatOrigin, chat_trace, is_timed

    counted: Counter[str] = Counter()
    for number, record in enumerate(_records(documents), start=1):
        task = _task(record)
        case = f"conversation-{number}" if task is None else task
        sample = _trial(record, counted[case])
        counted[case] += 1
        origin = ChatOrigin(
            trace_id=trace_id_for(reading.identity, case, sample),
            agent=reading.agent,
            case=case,
            sample=sample,
            start_ns=_start(record) or reading.start_ns,
            model=_model(record),
            error=_error(record),
        )
        inputs, expectations = _definition(record, case, has_task=task is not None)
        yield ImportedConversation(
            trace=chat_trace(record.messages, origin),
            case=case,
            sample=sample,
            place=record.place,
            inputs=inputs,
            expectations=expectations,
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
        value = next((value[k] for k in _RECORDS if isinstance(value.get(k), list)), value)
    if not isinstance(value, list) or not value or looks_like_a_message(value[0]):
        yield document.place, value
        return
    for number, item in enumerate(value, start=1):
        yield f"{document.place}: record {number}", item


def _record(place: str, value: JsonValue) -> _Record:
    if isinstance(value, list):
        value = {"messages": value}
    if not isinstance(value, dict):
        raise TraceFileError(f"{place} is {value!r:.60}, which is no conversation. {_READ}")
    key = next((key for key in MESSAGES if isinstance(value.get(key), list)), None)
    if key is None:
        found = f"has the keys {', '.join(map(repr, value)) or 'nothing'}"
        raise TraceFileError(f"{place} {found:.200}, and no list of messages. {_READ}")
    written = value[key]
    assert isinstance(written, list)
    messages = read_messages(written, f"{place}: {key}")
    record = _Record(place, value, messages)
    if not messages and _error(record) is None:
        raise TraceFileError(f"{place}: {key} is empty. A conversation has messages, or an error.")
    return record


def _has_messages(value: Mapping[str, JsonValue]) -> bool:
    listed = (value.get(key) for key in MESSAGES)
    return any(isinstance(v, list) and v and looks_like_a_message(v[0]) for v in listed)


def _task(record: _Record) -> str | None:
    for key in _TASK:
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
    key = next((key for key in _TRIAL if record.fields.get(key) is not None), None)
    if key is None:
        return counted
    written = record.fields[key]
    if isinstance(written, str) and written.isdecimal() and len(written) <= _DIGITS:
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
        for key in _REWARD:
            if fields.get(key) is not None:
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


def _definition(
    record: _Record, case: str, *, has_task: bool
) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """Return what the task asks for and what it calls right.

    Two trials of one task begin with other words where the user is simulated, so where the file
    does not define its task, the task's name is all that they share.
    """
    info = record.fields.get("info")
    sources = (record.fields, info if isinstance(info, dict) else {})
    task = next((s["task"] for s in sources if isinstance(s.get("task"), dict)), {})
    assert isinstance(task, dict)
    asked = {key: json_value(value) for key, value in task.items() if key not in _RIGHT}
    right = {key: json_value(value) for key, value in task.items() if key in _RIGHT and value}
    if has_task:
        return {"task": case, **asked}, right
    said = next((m.text for m in record.messages if m.role == "user"), "")
    return {"task": case, "question": said, **asked}, right


def _model(record: _Record) -> str | None:
    model = record.fields.get("model")
    return model if isinstance(model, str) and model else None


def _start(record: _Record) -> int | None:
    key = next((key for key in _START if record.fields.get(key) is not None), None)
    return None if key is None else nanoseconds(record.fields[key], f"{record.place}: {key}")


def _error(record: _Record) -> str | None:
    info = record.fields.get("info")
    sources = (record.fields, info if isinstance(info, dict) else {})
    found = (source.get("error") for source in sources)
    return next((error for error in found if isinstance(error, str) and error), None)
