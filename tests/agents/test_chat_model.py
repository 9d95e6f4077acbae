from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from pydantic import BaseModel

from linenotes.agents import SampleScope, chat_model, sample_scope
from linenotes.agents._weights import SMOLLM2
from linenotes.evals.testing import Reply, ScriptedServer
from linenotes.project import ModelError, Project

MakeProject = Callable[..., Project]
ROUTE = [("system", "Name the team that answers: banking, travel or cooking.")]


@pytest.fixture
def provider(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ScriptedServer]:
    """The endpoint of every role of the project. It says "Hello."."""
    with ScriptedServer(lambda _: Reply("Hello.")) as server:
        settings = (
            f'model = "gpt-x"\nbase-url = "{server.base_url}"\napi-key-env = "PROVIDER_KEY"\n'
            "temperature = 0.5\nmax-tokens = 9\nseed = 7\n"
        )
        make_project(**{"pyproject.toml": f"[tool.linenotes.models.default]\n{settings}"})
        monkeypatch.setenv("PROVIDER_KEY", "a-key")
        yield server


def seeds(provider: ScriptedServer) -> list[int | None]:
    return [request.seed for request in provider.requests]


@pytest.fixture(scope="module")
def _runtime_folder() -> Iterator[None]:
    path = Path(tempfile.mkdtemp(prefix="ln-", dir="/tmp"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINENOTES_RUNTIME_DIR", str(path))
        yield
    shutil.rmtree(path)


@pytest.fixture
def warm(_runtime_folder: None, make_project: MakeProject) -> None:
    """The embedded model plays every role, at temperature 1."""
    make_project(**{"pyproject.toml": "[tool.linenotes.models.default]\ntemperature = 1.0"})


def test_the_key_and_the_parameters_come_from_the_settings(provider: ScriptedServer) -> None:
    assert chat_model("writer").invoke("Hi").content == "Hello."
    (asked,) = provider.requests
    assert asked.api_key == "a-key"
    assert (asked.model, asked.body["temperature"], asked.seed) == ("gpt-x", 0.5, 7)
    assert asked.body["max_completion_tokens"] == 9


def test_a_missing_key_names_its_variable_before_any_call(
    provider: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROVIDER_KEY")
    with pytest.raises(ModelError, match=r"role 'writer'.*PROVIDER_KEY is not set"):
        chat_model("writer")
    assert provider.requests == ()


def test_an_unknown_embedded_model_names_those_that_are_known(make_project: MakeProject) -> None:
    make_project(**{"pyproject.toml": '[tool.linenotes.models]\nwriter = "local:qwen"'})
    with pytest.raises(ModelError, match=r"'local:qwen'.*'local:smollm2-135m'"):
        chat_model("writer")


def test_every_way_of_calling_sends_the_seed_of_the_call(provider: ScriptedServer) -> None:
    model = chat_model("writer")

    def in_sample(call: Callable[[], object]) -> None:
        with sample_scope(SampleScope(case="c", sample=1)):
            call()

    in_sample(lambda: model.invoke("Hi"))
    in_sample(lambda: list(model.stream("Hi")))
    in_sample(lambda: asyncio.run(model.ainvoke("Hi")))
    in_sample(lambda: asyncio.run(model.abatch(["Hi"])))
    in_sample(lambda: model.bind(stop=["."]).invoke("Hi"))
    *plain, stopped = seeds(provider)
    assert len(plain) == 4
    assert len(set(plain)) == 1
    assert stopped != plain[0]  # another request draws other numbers
    assert seeds(provider)[0] != 7


def test_equal_calls_of_one_sample_get_seeds_of_their_own(provider: ScriptedServer) -> None:
    for _ in range(2):
        with sample_scope(SampleScope(case="c", sample=1)):
            chat_model("writer").invoke("Hi")
            chat_model("writer").invoke("Hi")
            chat_model("editor").invoke("Hi")
    assert len(set(seeds(provider))) == 3
    assert seeds(provider)[:3] == seeds(provider)[3:]


def test_a_seed_of_the_callers_own_stands(provider: ScriptedServer) -> None:
    with sample_scope(SampleScope(case="c", sample=1)):
        chat_model("writer").invoke("Hi", seed=5)
    assert seeds(provider) == [5]


def test_a_model_outlives_the_event_loop_it_was_used_in(provider: ScriptedServer) -> None:
    model = chat_model("writer")
    for _ in range(3):
        answer = asyncio.run(model.ainvoke("Hi"))
        assert answer.content == "Hello."


class Decision(BaseModel):
    team: Literal["banking", "travel", "cooking"]


@pytest.mark.model
@pytest.mark.usefixtures("warm")
def test_the_embedded_model_answers_under_its_own_name_with_its_usage() -> None:
    model = chat_model("router").bind(max_tokens=4)
    answer = model.invoke([*ROUTE, ("human", "Hi")])
    assert isinstance(answer, AIMessage)
    assert answer.response_metadata["model_name"] == "smollm2-135m"
    assert answer.usage_metadata
    assert answer.usage_metadata["output_tokens"] == 4

    parts = list(model.stream([*ROUTE, ("human", "Hi")]))
    usage = [part.usage_metadata for part in parts if isinstance(part, AIMessage)]
    assert [one["output_tokens"] for one in usage if one] == [4]


@pytest.mark.model
@pytest.mark.usefixtures("warm")
def test_samples_repeat_exactly_in_any_order_and_company_and_differ_among_themselves() -> None:
    router = chat_model("router").with_structured_output(Decision, include_raw=True)
    writer = chat_model("writer").bind(max_tokens=4, logprobs=True)
    texts = ["my card is gone", "a visa for Peru", "my card is gone again"]
    samples = [(text, number) for text in texts for number in range(2)]

    async def run(text: str, number: int) -> tuple[object, object]:
        with sample_scope(SampleScope(case=text, sample=number)):
            routed = await router.ainvoke([*ROUTE, ("human", text)])
            wrote = await writer.ainvoke([("system", "Reply."), ("human", text)])
        assert isinstance(routed, dict)
        assert isinstance(routed["parsed"], Decision)
        return routed["parsed"], told(wrote)

    def told(message: BaseMessage) -> tuple[str, object]:
        return message.text, message.response_metadata["logprobs"]

    async def together() -> list[tuple[object, object]]:
        return await asyncio.gather(*(run(*sample) for sample in reversed(samples)))

    alone = [asyncio.run(run(*sample)) for sample in samples]
    assert asyncio.run(together()) == alone[::-1]
    assert len({str(told) for _, told in alone}) > len(texts)


@pytest.mark.model
@pytest.mark.usefixtures("warm")
def test_a_prompt_that_is_too_long_says_so() -> None:
    with pytest.raises(Exception, match=r"exceeds the available context size \(2048 tokens\)"):
        chat_model("router").invoke([*ROUTE, ("human", "word " * 3000)])


def test_what_keeps_the_embedded_model_from_starting_is_told_to_the_caller(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project()
    weights = project.root / "linenotes" / "weights"
    weights.mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.root))
    folder = Path(tempfile.mkdtemp(prefix="ln-", dir="/tmp"))
    monkeypatch.setenv("LINENOTES_RUNTIME_DIR", str(folder))
    model = chat_model("router")

    (weights / f"{SMOLLM2.sha256}.gguf").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="damaged"):
        model.invoke("Hi")
    with pytest.raises(ModelError, match="damaged"):
        asyncio.run(model.ainvoke("Hi"))
    shutil.rmtree(folder)
