"""What a call is known by, what is refused, and which agents are called for real."""

from __future__ import annotations

import asyncio
import operator
import threading
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import httpx
import openai
import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph
from langgraph.types import Send

from linenotes.agents import SampleScope, chat_model, sample_scope
from linenotes.evals.testing import ScriptedServer
from linenotes.project import Project, RecordingError
from linenotes.tracing import RecordingPolicy, sample_recordings

from .conftest import RECORD, REPLAY, Chain, Studio

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

QUESTION = "What is item 3?"


def model(name: str = "gpt-5") -> ChatOpenAI:
    return ChatOpenAI(model=name, max_retries=0)


def first(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "first": model().invoke(f"first of {state['q']}").content}


def second(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "second": model().invoke(f"second of {state['q']}").content}


class Fan(TypedDict, total=False):
    found: Annotated[list[str], operator.add]
    turn: int


def fan_out() -> CompiledStateGraph[Any, Any, Any, Any]:
    """Build a graph in which two equal workers ask the same through a graph of their own."""

    async def worker(state: Fan) -> Fan:
        said = (await model().ainvoke(QUESTION)).content
        return {"found": [str(said)]}

    inner = StateGraph(Fan)
    inner.add_node("inner", worker)
    inner.add_edge(START, "inner")
    graph = StateGraph(Fan)
    graph.add_node("workers", inner.compile())
    graph.add_node("begin", lambda _: {})
    graph.add_edge(START, "begin")
    graph.add_conditional_edges("begin", lambda _: [Send("workers", {})] * 4, ["workers"])
    return graph.compile()


def test_equal_workers_of_a_fan_out_do_not_swap(studio: Studio, counting: ScriptedServer) -> None:
    live = studio.run(fan_out(), {})
    assert len(set(live.output["found"])) == 4
    for sync in (False, False):
        assert studio.run(fan_out(), {}, REPLAY, sync=sync).output == live.output
    agents = {call.key.agent for call in studio.library(REPLAY).elsewhere()}
    assert agents == {f"workers[{n}]/inner" for n in range(4)}


def test_a_changed_question_shows_the_nearest_recording(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    studio.run(chain(first), {"q": "item 3"})
    with pytest.raises(RecordingError) as raised:
        studio.run(chain(first), {"q": "item 4"}, REPLAY)
    assert "Case 'c0' sample 0, first: the model gpt-5 has no recording" in str(raised.value)
    assert "--record auto" in str(raised.value)
    assert "  -human    first of item 3\n  +human    first of item 4" in str(raised.value)
    assert len(counting.requests) == 1


def test_a_miss_that_the_agent_swallows_is_still_an_error(studio: Studio, chain: Chain) -> None:
    def careless(state: dict[str, Any]) -> dict[str, Any]:
        try:
            return first(state)
        except Exception:  # noqa: BLE001  as careless agents do
            return {"first": "sorry"}

    with ScriptedServer() as server, server.in_environment():
        with pytest.raises(RecordingError, match="has no recording"):
            studio.run(chain(careless), {"q": "x"}, REPLAY)
        assert not server.requests


def test_another_model_makes_a_recording_stale(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    used = ["gpt-5"]

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        return {"said": model(used[0]).invoke(QUESTION).content}

    old = studio.run(chain(ask), {})
    used[0] = "gpt-6"
    with pytest.raises(RecordingError, match=r"stale recording: it was made by 'gpt-5'"):
        studio.run(chain(ask), {}, REPLAY)
    new = studio.run(chain(ask), {})
    assert (new.use.stale, new.use.recorded) == (1, 1)
    assert new.output != old.output
    used[0] = "gpt-5"
    assert studio.run(chain(ask), {}, REPLAY).output == old.output


def test_neither_seed_nor_key_nor_endpoint_is_part_of_the_question(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    made: list[dict[str, Any]] = [
        {"seed": 1, "api_key": "one"},
        {"seed": 2, "api_key": "two", "timeout": 5},
    ]

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        return {"said": ChatOpenAI(model="gpt-5", **made.pop(0)).invoke(QUESTION).content}

    assert studio.run(chain(ask), {}).output == studio.run(chain(ask), {}, REPLAY).output


def test_a_parameter_is_part_of_the_question(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    warmth = [0.0, 1.0]

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        return {"said": ChatOpenAI(model="m", temperature=warmth.pop(0)).invoke(QUESTION).content}

    studio.run(chain(ask), {})
    with pytest.raises(RecordingError, match="temperature"):
        studio.run(chain(ask), {}, REPLAY)


def test_a_changed_prompt_calls_only_what_follows_from_it(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    studio.run(chain(first, second), {"q": "x"})

    def changed(state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "second": model().invoke("second, but better").content}

    changed.__name__ = "second"
    run = studio.run(chain(first, changed), {"q": "x"})
    assert (run.use.replayed, run.use.called) == (1, 1)
    assert len(run.use.unused) == 1


def test_a_call_that_follows_a_replayed_one_draws_a_seed_of_its_own(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    (studio.project.root / "pyproject.toml").write_text(
        f'[tool.linenotes.models.default]\nmodel = "m"\nbase-url = "{counting.base_url}"\n'
    )
    votes = [1]

    def vote(state: dict[str, Any]) -> dict[str, Any]:
        with sample_scope(SampleScope("c0", 0)):
            asked = [chat_model("voter").invoke(QUESTION) for _ in range(votes[0])]
        return {"said": [one.content for one in asked]}

    studio.run(chain(vote), {})
    votes[0] = 2
    assert studio.run(chain(vote), {}).output == {"said": ["answer 1", "answer 2"]}
    first_seed, second_seed = (request.seed for request in counting.requests)
    assert first_seed != second_seed


def test_what_a_sample_had_no_time_to_ask_is_not_unused(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    studio.run(chain(first), {"q": "x"})
    with studio.library(REPLAY) as library:
        with sample_recordings(library, "c0", 0):
            pass
        assert library.use.unused == ()
        library.note_executed("c0", 0)
        assert len(library.use.unused) == 1


def test_a_live_agent_is_called_and_the_others_are_replayed(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    studio.run(chain(first, second), {"q": "x"})
    before = studio.path.read_bytes()
    live = studio.run(chain(first, second), {"q": "x"}, RecordingPolicy(live=("second",)))
    assert live.output["first"] == "answer 1"
    assert live.output["second"] == "answer 3"
    assert studio.path.read_bytes() == before
    nobody = studio.run(chain(first), {"q": "x"}, RecordingPolicy(live=("nobody",)))
    assert nobody.use.absent == ("nobody",)


def test_a_live_agent_is_recorded_anew_when_that_is_asked_for(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    studio.run(chain(first, second), {"q": "x"})
    policy = RecordingPolicy(record="auto", live=("second",))
    live = studio.run(chain(first, second), {"q": "x"}, policy)
    assert studio.run(chain(first, second), {"q": "x"}, REPLAY).output == live.output


def test_all_is_recorded_anew_when_that_is_asked_for(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    studio.run(chain(first), {"q": "x"})
    again = studio.run(chain(first), {"q": "x"}, RecordingPolicy(record="all"))
    assert again.output["first"] == "answer 2"
    assert studio.run(chain(first), {"q": "x"}, REPLAY).output == again.output


def _by_sdk(state: dict[str, Any]) -> dict[str, Any]:
    asked: Any = {"model": "gpt-5", "messages": [{"role": "user", "content": QUESTION}]}
    with openai.OpenAI(max_retries=0) as client:
        return {"said": client.chat.completions.create(**asked).choices[0].message.content}


async def _by_async_sdk(state: dict[str, Any]) -> dict[str, Any]:
    asked: Any = {"model": "gpt-5", "messages": [{"role": "user", "content": QUESTION}]}
    async with openai.AsyncOpenAI(max_retries=0) as client:
        reply = await client.chat.completions.create(**asked)
    return {"said": reply.choices[0].message.content}


def _by_urllib(state: dict[str, Any]) -> dict[str, Any]:
    with urllib.request.urlopen(_address("models")) as answer:  # noqa: S310  the loopback
        return {"said": answer.status}


def _by_httpx(state: dict[str, Any]) -> dict[str, Any]:
    return {"said": httpx.get(_address("models")).status_code}


def _by_a_thread(state: dict[str, Any]) -> dict[str, Any]:
    failed: list[BaseException] = []

    def fetch() -> None:
        try:
            _by_urllib(state)
        except Exception as error:  # noqa: BLE001  raised again below
            failed.append(error)

    thread = threading.Thread(target=fetch)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return {"said": 200}


def _address(path: str) -> str:
    import os

    return f"{os.environ['OPENAI_BASE_URL']}/{path}"


@pytest.mark.parametrize(
    "node", [_by_sdk, _by_async_sdk, _by_urllib, _by_httpx, _by_a_thread], ids=lambda n: n.__name__
)
def test_a_call_that_no_recording_can_stand_in_for_is_refused(
    studio: Studio, counting: ScriptedServer, chain: Chain, node: Callable[..., object]
) -> None:
    assert studio.run(chain(node), {}, RECORD).output
    asked = len(counting.exchanges)
    with pytest.raises((RecordingError, openai.APIConnectionError)) as raised:
        studio.run(chain(node), {}, REPLAY)
    assert isinstance(raised.value, RecordingError)
    assert "127.0.0.1" in str(raised.value)
    assert len(counting.exchanges) == asked


@pytest.mark.parametrize(
    "node", [_by_sdk, _by_async_sdk, _by_urllib, _by_httpx], ids=lambda n: n.__name__
)
def test_a_call_that_a_replay_will_refuse_is_told_while_it_is_recorded(
    studio: Studio, counting: ScriptedServer, chain: Chain, node: Callable[..., object]
) -> None:
    def beside(state: dict[str, Any]) -> dict[str, Any]:
        return {"model": model().invoke(QUESTION).content}

    place = _address("").split("/")[2]
    with studio.library(RECORD) as library:
        for index in range(2):
            with sample_recordings(library, "c0", index):
                asyncio.run(chain(node, beside).ainvoke({}))
    assert library.use.unrecorded == {place: 2}
    assert library.use.recorded == 2


def test_a_host_is_told_by_its_name_alone(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    port = int(_address("").split("/")[2].rpartition(":")[2])

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        return {"said": httpx.get(f"http://localhost:{port}/v1/models").status_code}

    assert studio.run(chain(ask), {}).use.unrecorded == {f"localhost:{port}": 1}


def test_what_a_recorded_tool_sends_is_covered_unless_it_turns_out_to_run_again(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    @tool
    def fetch(ask: bool) -> str:
        """Fetch something."""
        said = _by_urllib({})["said"]
        return str(model().invoke(QUESTION).content if ask else said)

    def run(asks: bool) -> Callable[[dict[str, Any]], dict[str, Any]]:
        def node(state: dict[str, Any]) -> dict[str, Any]:
            return {"said": fetch.invoke({"ask": asks})}

        return node

    place = _address("").split("/")[2]
    assert studio.run(chain(run(asks=False)), {}).use.unrecorded == {}
    assert studio.run(chain(run(asks=True)), {}).use.unrecorded == {place: 1}


def test_what_may_be_reached_in_a_replay_is_not_told(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    (studio.project.root / "pyproject.toml").write_text(
        '[tool.linenotes.recordings]\nallowed-hosts = ["127.0.0.1"]\n'
    )
    assert Studio(Project.find()).run(chain(_by_urllib), {}).use.unrecorded == {}


def test_a_connection_that_is_open_already_is_of_no_use(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    with openai.OpenAI(max_retries=0) as client:

        def ask(state: dict[str, Any]) -> dict[str, Any]:
            asked: Any = {"model": "gpt-5", "messages": [{"role": "user", "content": QUESTION}]}
            return {"said": client.chat.completions.create(**asked).choices[0].message.content}

        studio.run(chain(ask), {})
        with pytest.raises(RecordingError, match="sends to POST http://127"):
            studio.run(chain(ask), {}, REPLAY)
    assert len(counting.requests) == 1


def test_an_allowed_host_may_be_reached(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    (studio.project.root / "pyproject.toml").write_text(
        '[tool.linenotes.recordings]\nallowed-hosts = ["127.0.0.1"]\n'
    )
    studio = Studio(Project.find())
    assert studio.run(chain(_by_urllib), {}, REPLAY).output == {"said": 200}


def test_a_tool_that_is_always_run_may_reach_the_network(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    (studio.project.root / "pyproject.toml").write_text(
        '[tool.linenotes.recordings]\nrun-tools = ["fetch"]\n'
    )
    studio = Studio(Project.find())

    @tool
    def fetch() -> int:
        """Fetch something."""
        return int(_by_urllib({})["said"])

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        return {"said": fetch.invoke({})}

    assert studio.run(chain(ask), {}, REPLAY).output == {"said": 200}


def test_a_secret_reaches_neither_file_nor_journal_and_the_replay_goes_on(
    studio: Studio, chain: Chain
) -> None:
    secret = "sk-proj-" + "a1B2" * 12

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        found = model().invoke(f"My key is {secret}").content
        return {"said": model().invoke(f"You said: {found}").content}

    with ScriptedServer(lambda r: f"I heard {r.turns[-1].text}") as server, server.in_environment():
        live = studio.run(chain(ask), {})
        again = studio.run(chain(ask), {}, REPLAY)
        assert len(server.requests) == 2
    lines = b"".join(
        line for held in studio.library(REPLAY).file.lines().samples.values() for line in held
    )
    assert secret.encode() not in lines
    assert b"[secret:" in lines
    assert secret in live.output["said"]
    assert secret not in again.output["said"]
