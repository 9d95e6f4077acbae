from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import httpx2
import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from linenotes.evals.engine._failures import attribute, attribute_text, describe
from linenotes.project import PromptError


def raised(error: BaseException) -> BaseException:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def caused(error: Exception, cause: BaseException, *, how: str) -> BaseException:
    try:
        try:
            raise cause
        except type(cause) as inner:
            if how == "from":
                raise error from inner
            raise error  # noqa: B904  the other way that Python chains
    except Exception as caught:  # noqa: BLE001  whatever was asked for
        return caught


class RateLimitedError(Exception):
    status_code = 429


class AnsweredError(Exception):
    def __init__(self, status: int) -> None:
        self.response = type("Response", (), {"status_code": status})()


@pytest.mark.parametrize(
    "error",
    [ValueError("bad"), KeyError("team"), RecursionError(), AssertionError(), AnsweredError(404)],
)
def test_an_exception_of_a_node_is_the_agents(error: BaseException) -> None:
    found = attribute(raised(error))
    assert (found.kind, found.type) == ("agent", type(error).__name__)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("refused"),
        TimeoutError(),
        BrokenPipeError(),
        RateLimitedError(),
        AnsweredError(503),
        httpx.ConnectError("without a request"),
        httpx2.ConnectError("without a request"),
    ],
)
def test_timeouts_lost_connections_and_busy_servers_are_nobodys_failure(
    error: BaseException,
) -> None:
    assert attribute(raised(error)).kind == "infrastructure"


@pytest.mark.parametrize("how", ["from", "while"])
def test_infrastructure_is_found_under_what_an_agent_wraps_it_in(how: str) -> None:
    found = attribute(caused(RuntimeError("the planner failed"), TimeoutError("60 s"), how=how))
    assert (found.kind, str(found)) == ("infrastructure", "TimeoutError: 60 s")


def test_infrastructure_is_found_in_a_group_of_exceptions() -> None:
    group = ExceptionGroup("two nodes", [ValueError("a"), ExceptionGroup("", [TimeoutError()])])
    assert attribute(raised(group)).kind == "infrastructure"


def test_a_group_of_the_agents_own_exceptions_is_the_agents() -> None:
    group = ExceptionGroup("two nodes", [ValueError("a"), ValueError("b")])
    assert attribute(raised(group)).kind == "agent"


@pytest.mark.parametrize("how", ["from", "while"])
def test_a_mistake_of_the_users_ends_the_run_however_it_is_wrapped(how: str) -> None:
    mistake = PromptError("There is no prompt 'greet'.")
    with pytest.raises(PromptError, match=r"no prompt 'greet'"):
        attribute(caused(RuntimeError("a node failed"), mistake, how=how))
    with pytest.raises(PromptError, match=r"no prompt 'greet'"):
        attribute(raised(ExceptionGroup("nodes", [ValueError("a"), mistake])))


def test_exceptions_that_cause_one_another_are_looked_at_once() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert attribute(first).kind == "agent"


def test_a_message_is_one_line_that_every_store_takes() -> None:
    assert describe(ValueError("two\n  lines \ud83d")) == "two lines ?"
    assert len(describe(ValueError("x" * 10_000))) < 2_100


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("text/html", b"<html>log in</html>"), ("application/json", b'{"id": "x", "choi')],
    ids=["a login page", "cut off"],
)
def test_an_answer_that_cannot_be_read_is_the_infrastructures(
    content_type: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        model = ChatOpenAI(model="m", base_url=url, api_key=SecretStr("k"), max_retries=0)
        with pytest.raises(ValueError) as caught:  # noqa: PT011  the client's own words
            model.invoke("hi")
        server.shutdown()
        thread.join()
    assert attribute(caught.value).kind == "infrastructure"


@pytest.mark.parametrize(
    ("text", "kind", "type_"),
    [
        ("TimeoutError", "infrastructure", "TimeoutError"),
        ("openai.RateLimitError: slow down", "infrastructure", "RateLimitError"),
        ("httpx.ConnectError: refused", "infrastructure", "ConnectError"),
        ("Request timed out.", "infrastructure", "Error"),
        ("Error code: 429 - {'error': 'quota'}", "infrastructure", "Error"),
        ("Error code: 400 - {'error': 'too long'}", "agent", "Error"),
        ("ValueError: the connection error of the user", "agent", "ValueError"),
        ("no seat is left", "agent", "Error"),
    ],
)
def test_an_error_of_which_a_file_keeps_the_text(text: str, kind: str, type_: str) -> None:
    found = attribute_text(text)
    assert (found.kind, found.type) == (kind, type_)
    assert str(found).endswith(text.removeprefix("openai.").removeprefix("httpx."))
