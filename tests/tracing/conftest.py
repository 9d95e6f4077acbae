"""A support desk's conversation as the recorder would hand it over, and a browser to look at it.

The user asks, triage hands over to a specialist and asks a reviewer in parallel, and the desk
answers from both.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from linenotes.project import Project, Settings
from linenotes.tracing import (
    FiledTrace,
    Message,
    MessageKind,
    MlflowStore,
    Span,
    SpanEvent,
    SpanLink,
    SpanType,
    Tokens,
    Trace,
    TraceScore,
    TraceState,
    trace_id_for,
)

TALK = """
import os, sys, time
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from linenotes.tracing import record

def speaker(name):
    def speak(state):
        time.sleep(0.002)
        return {"messages": [AIMessage(f"{len(state['messages'])} {name}")]}
    return speak

def talk():
    graph = StateGraph(MessagesState)
    graph.add_node("ping", speaker("ping"))
    graph.add_node("pong", speaker("pong"))
    graph.add_edge(START, "ping")
    graph.add_edge("ping", "pong")
    graph.add_edge("pong", "ping")
    return graph.compile(name="table tennis")

def go(n=10_000, **recorded):
    with record(durable=True, **recorded) as ledger:
        talk().invoke({"messages": [("user", "0 user")]}, {"recursion_limit": n})
"""
"""Two agents that talk for ever; each message says how many were before it."""

MakeTrace = Callable[..., Trace]
MakeFiled = Callable[..., FiledTrace]
_START = 1_790_000_000_000_000_000
_MS = 1_000_000
_BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_PATIENCE_S = 120
_DARK = "--blink-settings=preferredColorScheme=0"


@dataclass(frozen=True)
class Browser:
    """An installed Chromium, driven by its command line: nothing else needs to be installed."""

    program: str
    profile: Path

    def dom(self, url: str, *, settle_ms: int = 2_000) -> str:
        """The page as it is after its scripts have run."""
        return self._run(url, "--dump-dom", f"--virtual-time-budget={settle_ms}")

    def screenshot(
        self,
        url: str,
        file: Path,
        *,
        width: int = 1400,
        height: int = 900,
        dark: bool = False,
        settle_ms: int = 2_000,
    ) -> Path:
        """A picture of the top of the page, as PNG."""
        look = [_DARK] if dark else []
        size = f"--window-size={width},{height}"
        budget = f"--virtual-time-budget={settle_ms}"
        self._run(url, f"--screenshot={file}", size, budget, *look)
        return file

    def _run(self, url: str, *options: str) -> str:
        command = [
            self.program,
            "--headless",
            "--no-sandbox",  # the user may be root, as in most containers
            "--disable-gpu",
            "--disable-background-networking",
            "--hide-scrollbars",
            "--no-first-run",
            f"--user-data-dir={self.profile}",
            *options,
            url,
        ]
        ended = subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=True)
        return ended.stdout.decode()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium is installed: apt-get install chromium, or Google Chrome")
    return Browser(program, tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="session")
def desk_trace() -> MakeTrace:
    return make_desk_trace


@pytest.fixture(scope="session")
def desk_filed() -> MakeFiled:
    return make_desk_filed


@pytest.fixture(scope="session")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that makes paths hard, shared by the tests that write to one store."""
    return tmp_path_factory.mktemp("a store") / "überall 100% #1"


@pytest.fixture(scope="session")
def store(store_folder: Path) -> Iterator[MlflowStore]:
    with MlflowStore.open(
        f"sqlite:///{store_folder}/mlflow.db", "desk", artifacts=store_folder / "artifacts"
    ) as opened:
        yield opened


def make_desk_filed(
    case: str, sample: int = 0, *, run_id: str = "0" * 32, state: TraceState = "OK"
) -> FiledTrace:
    return FiledTrace(
        trace=make_desk_trace(case, sample, run_id=run_id, state=state),
        run_id=run_id,
        model_id="m-" + "1" * 32,
        version="triage@2",
        prompts=(("triage", 2), ("specialist", 1)),
        scores=(
            TraceScore("route_ok", value=True, rationale="banking → freeze_account, as expected."),
            TraceScore("confidence", value=0.75),
            TraceScore("tone", value=None, error="TimeoutError: no answer in 60 s"),
            TraceScore("does_not_apply", value=None),
        ),
        expectations={"intent": "freeze_account"},
        tags={"tag.team (A&B)": "banking"},
    )


def make_desk_trace(
    case: str = "card-lost",
    sample: int = 0,
    *,
    run_id: str = "run",
    state: TraceState = "OK",
) -> Trace:
    story = _Story(state=state)
    return Trace(
        trace_id=trace_id_for(run_id, case, sample),
        name="support_desk",
        state=state,
        start_ns=_START,
        end_ns=None if state == "IN_PROGRESS" else _START + 900 * _MS,
        request="Please block my card, I lost it in Köln. 🙏",
        response="Your card is frozen." if state == "OK" else "",
        spans=story.spans,
        messages=story.messages,
        case=case,
        sample=sample,
        error="TimeoutError: no answer in 60 s" if state == "ERROR" else None,
    )


class _Story:
    """Messages and spans of the desk; the desk does not come to answer unless `state` is OK."""

    def __init__(self, *, state: TraceState) -> None:
        ask = _message(
            "m1", "user", "triage", "Please block my card, I lost it in Köln. 🙏", "input"
        )
        team = _message("m2", "triage", "specialist", "banking", "handoff", "m1")
        look = _message("m3", "triage", "reviewer", "Check: banking", "send", "m1")
        call = _message("m4", "specialist", "find_account", 'find_account("Müller")', "call", "m2")
        result = _message("m5", "find_account", "specialist", "A-17", "result", "m4")
        intent = _message("m6", "specialist", "desk", "freeze_account", "reply", "m2", "m5")
        agree = _message("m7", "reviewer", "desk", "I agree: banking.", "reply", "m3")
        answer = _message("m8", "desk", "user", "Your card is frozen.", "reply", "m6", "m7")
        said = (ask, team, look, call, result, intent, agree)
        self.messages = (*said, answer) if state == "OK" else said
        ended = None if state == "IN_PROGRESS" else 900
        answered = (answer,) if state == "OK" else ()
        self.spans = (
            _span("01", "", "support_desk", "WORKFLOW", 0, ended, _parts([ask]),
                  _parts(self.messages[1:]), status=state),
            _agent("02", "triage", 5, 200, [ask], [team, look]),
            _model("03", "02", 10, 190, ask.text, "banking"),
            _span("04", "02", "triage → specialist", "HANDOFF", 195, 196, None, _parts([team]),
                  {"gen_ai.transfer.target.name": "specialist"}),
            _agent("05", "specialist", 200, 700, [team, result], [call, intent], link="04"),
            _model("06", "05", 210, 400, team.text, "find_account"),
            _span("07", "05", "find_account", "TOOL", 410, 500, {"name": "Müller"}, "A-17",
                  {"gen_ai.tool.call.id": "c-1"}),
            _agent("08", "reviewer", 201, 420, [look], [agree]),
            _model("09", "08", 205, 415, look.text, "agree"),
            _agent("0a", "desk", 705, ended and 890, [intent, agree], answered, status=state),
        )  # fmt: skip


def _message(
    id_: str, sender: str, recipient: str, text: str, kind: MessageKind, *cause: str
) -> Message:
    spoken = sender in ("triage", "specialist", "reviewer")
    return Message(
        id=id_,
        kind=kind,
        sender=sender,
        recipients=(recipient,),
        text=text,
        cause=cause,
        model="smollm2-135m" if spoken else None,
        tokens=Tokens(input=40, output=3, cached=8) if spoken else Tokens(),
        start_ns=_START,
        end_ns=_START + 100 * _MS,
        sampled=spoken,
    )


def _agent(
    id_: str,
    name: str,
    start: int,
    end: int | None,
    received: Sequence[Message],
    sent: Sequence[Message],
    *,
    link: str | None = None,
    status: TraceState = "OK",
) -> Span:
    attributes: dict[str, JsonValue] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": name,
        "linenotes.message.received": [message.id for message in received],
        "linenotes.message.sent": [message.id for message in sent],
    }
    inputs, outputs = _parts(received), _parts(sent)
    agent = _span(id_, "01", name, "AGENT", start, end, inputs, outputs, attributes, status=status)
    links = (SpanLink(link.zfill(16), {"relation": "handoff"}),) if link else ()
    return replace(agent, links=links)


def _model(id_: str, parent: str, start: int, end: int, asked: str, said: str) -> Span:
    request: dict[str, JsonValue] = {
        "model": "smollm2-135m",
        "messages": [
            {"role": "system", "content": "Name the team."},
            {"role": "user", "content": asked},
        ],
        "temperature": 0.0,
    }
    response: dict[str, JsonValue] = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": said}}]
    }
    attributes: dict[str, JsonValue] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "local",
        "gen_ai.request.model": "smollm2-135m",
        "mlflow.message.format": "openai",
        "mlflow.chat.tokenUsage": {"input_tokens": 40, "output_tokens": 3, "total_tokens": 43},
    }
    name = "chat smollm2-135m"
    return _span(id_, parent, name, "CHAT_MODEL", start, end, request, response, attributes)


def _span(
    id_: str,
    parent: str,
    name: str,
    type_: SpanType,
    start: int,
    end: int | None,
    inputs: JsonValue,
    outputs: JsonValue,
    attributes: dict[str, JsonValue] | None = None,
    *,
    status: TraceState = "OK",
) -> Span:
    return Span(
        span_id=id_.zfill(16),
        parent_id=parent.zfill(16) if parent else None,
        name=name,
        type=type_,
        start_ns=_START + start * _MS,
        end_ns=None if end is None else _START + end * _MS,
        status="UNSET" if status == "IN_PROGRESS" else status,
        inputs=inputs,
        outputs=outputs,
        attributes=attributes or {},
        events=(_timeout(start),) if status == "ERROR" else (),
    )


def _timeout(start: int) -> SpanEvent:
    attributes: dict[str, JsonValue] = {
        "exception.type": "TimeoutError",
        "exception.message": "no answer in 60 s",
        "exception.stacktrace": "Traceback (most recent call last):\n  ...\nTimeoutError",
    }
    return SpanEvent("exception", _START + start * _MS, attributes)


def _parts(messages: Sequence[Message]) -> JsonValue:
    return [
        {
            "role": f"{m.sender} → {', '.join(m.recipients)}",
            "parts": [{"type": "text", "content": m.text}],
        }
        for m in messages
    ]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("LINENOTES_STATE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "pyproject.toml").touch()
    return Project(root=tmp_path, settings=Settings())


@pytest.fixture
def script(project: Project) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run Python code in the project's folder, where `go` begins a talk without an end."""

    def run(code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", TALK + code],
            cwd=project.root,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
