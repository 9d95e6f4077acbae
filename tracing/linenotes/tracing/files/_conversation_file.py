"""Reading a file of conversations, whatever its format."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from linenotes.project import TraceFileError
from linenotes.tracing.files._imported import ImportedConversation
from linenotes.tracing.files._json_file import opened, read_documents

if TYPE_CHECKING:
    from linenotes.tracing.files._json_file import Document

FileFormat = Literal["auto", "chat", "otlp"]
"""OpenAI's chat messages, or OpenTelemetry's spans; `auto` tells by what the file holds."""

_AGENT = "agent"
_SCORE = re.compile(r"\w[\w .-]{0,199}")


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes, as 64 hex digits.

    Raises:
        TraceFileError: the file cannot be read.
    """
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_conversations(
    path: Path,
    *,
    identity: str,
    agent: str | None = None,
    metric: str = "reward",
    file_format: FileFormat = "auto",
    start_ns: int | None = None,
) -> Iterator[ImportedConversation]:
    """Yield the conversations that a file holds, each as a trace with its case and scores.

    Args:
        path: JSON, or JSON lines: chats in OpenAI's format, or OTLP exports of spans.
        identity: what the ids of chats follow from, together with case and sample.
        agent: who says the assistant messages that have no name; None stands for `agent`, and
            for the agent that the root span of a trace names.
        metric: the name of a reward.
        file_format: what the file holds.
        start_ns: the start of conversations without times, in nanoseconds since the epoch; by
            default when the file was last changed.

    Raises:
        TraceFileError: the file cannot be read, or holds something else at some place; or two
            conversations are the same trial of the same task.
    """
    documents = read_documents(path)
    first = next(documents)
    documents = chain([first], documents)
    if file_format == "otlp" or (file_format == "auto" and _is_otlp(first)):
        from linenotes.tracing.files._otlp_file import read_otlp

        found = read_otlp(documents, agent=agent)
    else:
        from linenotes.tracing.files._chat_file import ChatReading, read_chats

        start = path.stat().st_mtime_ns if start_ns is None else start_ns
        found = read_chats(documents, ChatReading(agent or _AGENT, metric, identity, start))
    return _each_once(found)


def _is_otlp(document: Document) -> bool:
    value = document.value
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, dict) and bool({"resourceSpans", "resource_spans"} & value.keys())


def _refuse_unusable_names(one: ImportedConversation) -> None:
    for name in one.scores:
        if not _SCORE.fullmatch(name):
            raise TraceFileError(
                f"{one.place}: a score cannot be called {name!r:.80}: MLflow takes letters, "
                "digits, spaces and `_ - .` only. Give it another name."
            )


def _each_once(found: Iterator[ImportedConversation]) -> Iterator[ImportedConversation]:
    places: dict[tuple[str, int], str] = {}
    for one in found:
        key = (one.case, one.sample)
        if key in places:
            raise TraceFileError(
                f"{one.place} is trial {one.sample} of task {one.case!r}, and so is "
                f"{places[key]}. Give each its own trial, or leave one out."
            )
        places[key] = one.place
        _refuse_unusable_names(one)
        yield one
