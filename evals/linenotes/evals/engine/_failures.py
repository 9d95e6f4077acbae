"""Whose failure an exception is.

The system under test fails as data: its exception becomes part of the sample and the run goes
on. Two things are not the agent's: the infrastructure between it and its model, and a mistake of
the user's that would fail every sample alike, which ends the run with its own message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress

from linenotes.evals.engine._time_limit import OutOfTimeError
from linenotes.evals.journal._samples import ErrorKind, Failure
from linenotes.project import LinenotesError, ModelError, Redactor, without_credentials

_RETRYABLE_STATUS = {408, 409, 429}
_MISTAKEN_STATUS = {401, 403, 404}
_ERROR = 400
_SERVER_ERROR = 500
_LONGEST = 2000
_NAME = re.compile(r"(?:\w+\.)*([A-Z]\w*)")
_LOST_NAME = re.compile(
    "Timeout|Connect|BrokenPipe|Transport|Protocol|RateLimit|TooManyRequests|Throttling|Overloaded"
    "|ResourceExhausted|DeadlineExceeded|ServiceUnavailable|BadGateway|InternalServerError"
)
_LOST_TEXT = re.compile(
    r"Request timed out|Connection error|.*\bError code: (?:408|409|429|5\d\d)\b"
)
"""How OpenAI's client says it, where only its text was kept."""


def attribute(error: BaseException) -> Failure:
    """Return whose failure `error` is.

    Raises:
        LinenotesError: the user's own mistake, which every sample would meet.
    """
    for cause in _chain(error):
        if isinstance(cause, LinenotesError):
            raise cause
        _refuse_misconfigured_endpoint(cause)
        if _is_infrastructure(cause):
            return failure_of("infrastructure", cause)
    return failure_of("agent", error)


def attribute_text(error: str) -> Failure:
    """Return whose failure an error is of which only the text is left, as files keep it."""
    name, _, message = error.partition(":")
    named = _NAME.fullmatch(name.strip())
    is_lost = (named and _LOST_NAME.search(named[1])) or _LOST_TEXT.match(error)
    return Failure(
        kind="infrastructure" if is_lost else "agent",
        type=named[1] if named else "Error",
        message=message.strip() if named else error,
    )


def failure_of(kind: ErrorKind, error: BaseException) -> Failure:
    """Return `error` as data, with the address of the endpoint that could not be reached."""
    message = describe(error)
    if kind == "infrastructure":
        message = f"{message}{_reason(error)}{_address(error)}"
    return Failure(kind=kind, type=type(error).__name__, message=message)


def _reason(error: BaseException) -> str:
    """Return what was behind a "Connection error.", as OpenAI's client says it of most losses."""
    import httpx2

    behind: BaseException | None = error.__cause__
    while behind is not None and not isinstance(behind, httpx2.TransportError):
        behind = behind.__cause__
    return f" {describe(behind)}" if behind is not None and str(behind) else ""


def _address(error: BaseException) -> str:
    """Return where the request of `error` went, if it tells; HTTPX raises where there is none."""
    with suppress(RuntimeError):
        url = getattr(getattr(error, "request", None), "url", None)
        return f" ({without_credentials(str(url))})" if url is not None else ""
    return ""


def describe(error: BaseException) -> str:
    """Return the message of `error` on one line, cut where it gets long."""
    text = " ".join(Redactor.current().text(storable(_text(error))).split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " … (cut)"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  a stranger's exception may refuse to have a text
        return "(it has no text)"


def storable(text: str) -> str:
    """Return `text` without the lone surrogates that no file and no store takes."""
    return text.encode(errors="replace").decode()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it was raised from; an agent may wrap its model's."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions
        waiting.append(current.__cause__ or current.__context__)


def _is_infrastructure(error: BaseException) -> bool:
    """Timeouts, lost connections, and answers that say to try again later, whoever asked."""
    import httpx
    import httpx2
    import openai

    if isinstance(error, OutOfTimeError):
        return error.is_infrastructure
    status = _status(error)
    if status is not None and status >= _ERROR:
        return status in _RETRYABLE_STATUS or status >= _SERVER_ERROR
    lost = (ConnectionError, TimeoutError, httpx.TransportError, httpx2.TransportError)
    if isinstance(error, (*lost, openai.APIConnectionError)):
        return True
    return isinstance(error, ValueError) and _is_about_an_answer(error)


def _is_about_an_answer(error: ValueError) -> bool:
    """Say whether the client could not read what the endpoint answered, such as a login page.

    The clients have no class of their own for that, so the place where it was raised tells.
    """
    frame, inside_client, place = error.__traceback__, False, ("", "")
    while frame is not None:
        module = str(frame.tb_frame.f_globals.get("__name__", ""))
        inside_client |= module.startswith("openai.")
        place = (module, frame.tb_frame.f_code.co_name)
        frame = frame.tb_next
    unreadable = isinstance(error, json.JSONDecodeError) and inside_client
    return unreadable or place == ("langchain_openai.chat_models.base", "_create_chat_result")


def _status(error: BaseException) -> int | None:
    """Return the HTTP status that an exception tells of: most clients name it in this way."""
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    return status if isinstance(status, int) else None


def _refuse_misconfigured_endpoint(error: BaseException) -> None:
    import openai

    if isinstance(error, openai.APIStatusError) and error.status_code in _MISTAKEN_STATUS:
        url = without_credentials(str(error.request.url))
        raise ModelError(
            f"{url} answered {error.status_code}: {describe(error).rstrip('.')}. "
            "Check the key, the base URL and the model's name."
        ) from None
