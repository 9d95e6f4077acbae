from __future__ import annotations

import asyncio
import gzip
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, cast

import httpx2
import pytest

from linenotes.agents import SampleScope, sample_scope
from linenotes.agents.endpoints._attempts import Manners
from linenotes.agents.endpoints._transports import AsyncPatientTransport, PatientTransport
from linenotes.agents.endpoints._windows import Window, window_of

Said = httpx2.Response | Exception
Ask = Callable[..., httpx2.Response]
_HOSTS = itertools.count()
JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}


def answer(status: int = 200, body: bytes = b'{"a": 1}', **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, headers={**JSON, **named}, stream=httpx2.ByteStream(body))


def events(*said: bytes) -> httpx2.Response:
    return httpx2.Response(200, headers=EVENTS, stream=httpx2.ByteStream(b"".join(said)))


class Wire(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Says one thing after another, and the last one for ever."""

    def __init__(self, said: Sequence[Said]) -> None:
        self._said = iter(said)
        self._last = said[-1]
        self.bodies: list[bytes] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.bodies.append(request.content)
        said = next(self._said, self._last)
        if isinstance(said, Exception):
            raise said
        return said

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.handle_request(request)


class Endpoint:
    """A client of an endpoint of its own that says what it is told to."""

    def __init__(self, kind: str, said: Sequence[Said], **manners: float) -> None:
        self._kind = kind
        self.wire = Wire(said)
        self._host = f"http://host-{next(_HOSTS)}"
        given = {"max_retries": 1, "patience": 5.0, **manners}
        self._manners = Manners(
            "m", max_retries=int(given["max_retries"]), patience=given["patience"]
        )

    @property
    def window(self) -> Window:
        return window_of(self._host, "m")

    @property
    def attempts(self) -> int:
        return len(self.wire.bodies)

    def ask(self) -> httpx2.Response:
        if self._kind == "async":
            return asyncio.run(self._ask())
        with httpx2.Client(transport=PatientTransport(self._manners, self.wire)) as client:
            return client.post(self._host, json={"q": 1})

    async def _ask(self) -> httpx2.Response:
        transport = AsyncPatientTransport(self._manners, self.wire)
        async with httpx2.AsyncClient(transport=transport) as client:
            return await client.post(self._host, json={"q": 1})


@pytest.fixture(params=["blocking", "async"])
def endpoint(request: pytest.FixtureRequest) -> Iterator[Callable[..., Endpoint]]:
    kind = cast("Literal['blocking', 'async']", request.param)
    made: list[Endpoint] = []

    def make(*said: Said, **manners: float) -> Endpoint:
        made.append(Endpoint(kind, said, **manners))
        return made[-1]

    yield make
    assert [one.window.in_flight for one in made] == [0] * len(made)


MakeEndpoint = Callable[..., Endpoint]


def test_a_good_answer_is_handed_on_as_it_is(endpoint: MakeEndpoint) -> None:
    one = endpoint(answer())
    assert one.ask().json() == {"a": 1}
    assert one.attempts == 1


def test_a_packed_answer_can_be_read(endpoint: MakeEndpoint) -> None:
    one = endpoint(answer(body=gzip.compress(b'{"a": 2}'), content_encoding="gzip"))
    assert one.ask().json() == {"a": 2}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: answer(408),
        lambda: answer(409),
        lambda: answer(500),
        lambda: answer(502),
        lambda: answer(503),
        lambda: httpx2.ConnectError("refused"),
        lambda: httpx2.ReadError("reset"),
        lambda: answer(body=b'{"a": '),
        lambda: answer(body=b""),
        lambda: answer(body=b"<html>", content_type="text/html"),
        lambda: answer(body=b"not gzip", content_encoding="gzip"),
    ],
)
def test_what_went_wrong_is_sent_again_with_its_body(
    endpoint: MakeEndpoint, spoil: Callable[[], Said]
) -> None:
    one = endpoint(spoil(), answer())
    assert one.ask().json() == {"a": 1}
    assert one.wire.bodies == [one.wire.bodies[0]] * 2


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_mistake_of_the_request_is_not_sent_again(endpoint: MakeEndpoint, status: int) -> None:
    one = endpoint(answer(status))
    assert (one.ask().status_code, one.attempts) == (status, 1)


def test_an_endpoint_that_forbids_another_try_is_obeyed(endpoint: MakeEndpoint) -> None:
    one = endpoint(answer(500, x_should_retry="false"))
    assert (one.ask().status_code, one.attempts) == (500, 1)


def test_the_last_failure_is_handed_on(endpoint: MakeEndpoint) -> None:
    one = endpoint(answer(500), max_retries=0)
    assert (one.ask().status_code, one.attempts) == (500, 1)


def test_an_answer_that_cannot_be_read_says_what_came_instead(endpoint: MakeEndpoint) -> None:
    page = answer(body=b"<html>Sign in</html>", content_type="text/html")
    with pytest.raises(httpx2.RemoteProtocolError, match=r"200 with 'text/html'.*<html>Sign in"):
        endpoint(page, max_retries=0).ask()


@pytest.mark.parametrize("status", [429, 529])
def test_a_busy_endpoint_is_no_failure_and_narrows_the_window(
    endpoint: MakeEndpoint, status: int
) -> None:
    one = endpoint(answer(status), answer(status, retry_after="0"), answer(), max_retries=0)
    assert one.ask().status_code == 200
    assert one.attempts == 3
    assert one.window.width <= 2


def test_a_busy_endpoint_that_serves_nobody_is_given_up(endpoint: MakeEndpoint) -> None:
    one = endpoint(answer(429), patience=0.01)
    assert (one.ask().status_code, one.attempts) == (429, 1)


def test_nobody_asks_an_endpoint_that_wants_to_be_left_alone_for_longer_than_the_patience(
    endpoint: MakeEndpoint,
) -> None:
    one = endpoint(answer(429, retry_after="3600"))
    assert (one.ask().status_code, one.attempts) == (429, 1)
    with pytest.raises(httpx2.PoolTimeout, match="took no request: it asked for a pause of"):
        one.ask()
    assert one.attempts == 1


def test_a_used_up_quota_does_not_narrow_the_window(endpoint: MakeEndpoint) -> None:
    one = endpoint(answer(429, body=b'{"error": {"code": "insufficient_quota"}}'))
    assert (one.ask().status_code, one.attempts) == (429, 1)
    assert one.window.width > 1


@pytest.mark.parametrize(
    "last",
    [
        b"data: [DONE]\n\n",
        b'data: {"choices": [{"finish_reason":"stop"}]}\n\n',
        b"event: response.completed\n\n",
        b'data: {"error": {"message": "overloaded"}}\n\n',
    ],
)
def test_a_stream_that_comes_to_its_end_is_handed_on(endpoint: MakeEndpoint, last: bytes) -> None:
    assert endpoint(events(b"data: {}\n\n", last)).ask().text.startswith("data: {}")


def test_a_stream_that_ends_before_the_model_does_is_an_error(endpoint: MakeEndpoint) -> None:
    with pytest.raises(httpx2.RemoteProtocolError, match="ended before the model did"):
        endpoint(events(b'data: {"choices": [{"finish_reason": null}]}\n\n')).ask()


def test_a_sample_knows_how_long_its_calls_waited(endpoint: MakeEndpoint) -> None:
    one = endpoint(answer(500), answer())
    with sample_scope(SampleScope("c", 0)) as scope:
        one.ask()
    assert scope.waited > 0.2
