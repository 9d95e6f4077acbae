from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from linenotes.evals.testing import Fault, ScriptedServer, faults_in_order, random_faults

KINDS = [
    Fault.status(503),
    Fault.reset(),
    Fault.cut(),
    Fault.truncated(),
    Fault.login_page(),
    Fault.slow(0.1),
]


def ask(
    server: ScriptedServer, text: str = "Hi", *, stream: bool = False, timeout: float = 30
) -> httpx2.Response:
    said = {"model": "m", "messages": [{"role": "user", "content": text}], "stream": stream}
    return httpx2.post(f"{server.base_url}/chat/completions", json=said, timeout=timeout)


def spoilt(fault: Fault) -> ScriptedServer:
    return ScriptedServer("Hello, you there.", faults=lambda *_: fault)


def test_a_status_comes_with_its_headers_and_its_text() -> None:
    fault = Fault.status(429, retry_after=7, headers={"x-ratelimit-reset": "7s"}, text="Later.")
    with spoilt(fault) as server:
        answer = ask(server)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.headers["x-ratelimit-reset"] == "7s"
    assert answer.json()["error"]["message"] == "Later."
    assert server.requests == ()  # no model said anything
    assert server.faults == {"429": 1}


@pytest.mark.parametrize("fault", [Fault.reset(), Fault.cut()], ids=["reset", "cut"])
@pytest.mark.parametrize("stream", [False, True], ids=["document", "stream"])
def test_a_connection_is_lost(fault: Fault, *, stream: bool) -> None:
    with spoilt(fault) as server, pytest.raises(httpx2.TransportError):
        ask(server, stream=stream)


def test_half_a_document_is_whole_for_http() -> None:
    with spoilt(Fault.truncated()) as server:
        answer = ask(server)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"JSON|Expecting|Unterminated"):
        answer.json()


def test_half_a_stream_ends_without_a_word() -> None:
    with spoilt(Fault.truncated()) as server:
        answer = ask(server, stream=True)
    assert answer.text.startswith("data: ")
    assert "[DONE]" not in answer.text


def test_a_login_page_has_a_good_status() -> None:
    with spoilt(Fault.login_page()) as server:
        answer = ask(server)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("stream", [False, True], ids=["document", "stream"])
def test_a_slow_answer_comes_whole(*, stream: bool) -> None:
    with spoilt(Fault.slow(0.1)) as server:
        slow = ask(server, stream=stream).content
    with ScriptedServer("Hello, you there.") as server:
        assert ask(server, stream=stream).content == slow


def test_a_stall_lasts_until_the_client_hangs_up() -> None:
    with spoilt(Fault.stall()) as server, pytest.raises(httpx2.ReadTimeout):
        ask(server, timeout=0.2)


def test_a_server_that_stalls_can_be_ended() -> None:
    with ThreadPoolExecutor() as other, spoilt(Fault.stall()) as server:
        answer = other.submit(ask, server)
        while not server.faults:
            pass
    assert isinstance(answer.exception(), httpx2.TransportError)


def test_faults_in_order_are_for_the_first_requests() -> None:
    faults = faults_in_order(Fault.status(500), None, Fault.status(503))
    with ScriptedServer("Hello.", faults=faults) as server:
        assert [ask(server).status_code for _ in range(5)] == [500, 200, 503, 200, 200]


def fates(seed: int, order: Callable[[list[int]], list[int]] = list) -> dict[int, list[str]]:
    faults = random_faults(*KINDS, share=0.5, seed=seed)
    found: dict[int, list[str]] = {}
    with ScriptedServer("Hello.") as server:
        for number in range(30):
            ask(server, str(number))
        for number in order(list(range(30))):
            request = server.requests[number]
            met = [faults(request, times) for times in range(4)]
            found[number] = [fault.kind if fault else "" for fault in met]
    return found


def test_the_fate_of_a_request_depends_on_the_seed_and_on_no_other_request() -> None:
    assert fates(1) == fates(1, lambda numbers: numbers[::-1])
    assert fates(1) != fates(2)
    met = [kind for kinds in fates(1).values() for kind in kinds]
    assert 40 <= met.count("") <= 80


def test_no_more_requests_are_taken_at_a_time_than_the_limit() -> None:
    with ScriptedServer("Hello.", latency=0.2, max_in_flight=2, retry_after=3) as server:
        with ThreadPoolExecutor(6) as clients:
            answers = list(clients.map(lambda n: ask(server, str(n)), range(6)))
        refused = [answer for answer in answers if answer.status_code == 429]
    assert server.most_in_flight == 2
    assert len(refused) == server.faults["429"] >= 1
    assert {answer.headers["retry-after"] for answer in refused} == {"3"}


def test_without_a_choice_faults_are_of_several_kinds() -> None:
    with ScriptedServer("Hello.") as server:
        ask(server)
        (request,) = server.requests
    faults = random_faults(share=1)
    found = [fault.kind for times in range(50) if (fault := faults(request, times))]
    assert len(found) == 50
    assert {"status", "reset", "truncated", "login page"} <= set(found)
