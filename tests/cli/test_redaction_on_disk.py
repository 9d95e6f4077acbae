"""Secrets of every kind go in by every door, and no file that is written holds one of them."""

from __future__ import annotations

import base64
import json
import random
import sqlite3
import string
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import pytest

from linenotes.project import Project, import_code
from linenotes.tracing import record, store_trace

if TYPE_CHECKING:
    from tests.conftest import Collector


class Ended(Protocol):
    """How a command ended."""

    code: int
    out: str
    err: str
    json: dict[str, Any]


ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def _random(seed: str, length: int, letters: str = ALNUM) -> str:
    """Random letters, always the same for `seed`, with a digit and a letter among them."""
    source = random.Random(seed)  # noqa: S311  no secret at all
    return "".join(["a7", *(source.choice(letters) for _ in range(length - 2))])


def _basic(core: str) -> str:
    return base64.b64encode(f"user:{core}".encode()).decode()


def _pem(core: str) -> str:
    begin, end = ("-----" + word + " PRIVATE KEY-----" for word in ("BEGIN", "END"))
    return f"{begin}\n{core}\n{core[::-1]}\n{end}"


# Kind to the length and letters of its random core, and to what is written around it.
KINDS: dict[str, tuple[int, str, Callable[[str], str]]] = {
    "openai": (48, ALNUM, "sk-{}".format),
    "openai project": (60, ALNUM, "sk-proj-{}".format),
    "anthropic": (90, ALNUM, "sk-ant-api03-{}".format),
    "google": (35, ALNUM, "AIza{}".format),
    "google oauth": (28, ALNUM, "GOCSPX-{}".format),
    "aws id": (16, string.ascii_uppercase + string.digits, lambda core: f"AKIA{core.upper()}"),
    "aws secret": (40, ALNUM, "aws_secret_access_key = {}".format),
    "azure storage": (86, ALNUM, "AccountName=x;AccountKey={}==;EndpointSuffix=y".format),
    "azure client": (34, ALNUM, "abc8Q~{}".format),
    "github": (36, ALNUM, "ghp_{}".format),
    "github fine-grained": (59, ALNUM, "github_pat_11ABCDEFG0_{}".format),
    "gitlab": (20, ALNUM, "glpat-{}".format),
    "slack": (24, ALNUM, "xoxb-1234567890-1234567890-{}".format),
    "slack webhook": (24, ALNUM, "https://hooks.slack.com/services/T00000000/B00000000/{}".format),
    "stripe": (24, ALNUM, "sk_live_{}".format),
    "hugging face": (34, ALNUM, "hf_{}".format),
    "databricks": (32, HEX, "dapi{}".format),
    "npm": (36, ALNUM, "npm_{}".format),
    "pypi": (100, ALNUM, "pypi-AgEIcHlwaS5vcmc{}".format),
    "sendgrid": (43, ALNUM, "SG.abcdefghij0123456789_-.{}".format),
    "twilio": (32, HEX, "SK{}".format),
    "telegram": (33, ALNUM, "1234567890:AA{}".format),
    "discord": (38, ALNUM, "MTIzNDU2Nzg5MDEyMzQ1Njc4.G1a2b3.{}".format),
    "jwt": (43, ALNUM, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{}".format),
    "bearer": (40, ALNUM, "Authorization: Bearer {}".format),
    "basic": (12, ALNUM, lambda core: f"Authorization: Basic {_basic(core)}"),
    "pem": (64, ALNUM, _pem),
    "url": (12, ALNUM, "https://user:{}@example.com/path".format),
    "postgres": (12, ALNUM, "postgresql://app:{}@db:5432/app".format),
    "redis": (12, ALNUM, "redis://:{}@cache:6379/0".format),
    "amqp": (12, ALNUM, "amqp://app:{}@mq/%2F".format),
    "password": (10, ALNUM, "password={}".format),
    "pwd": (10, ALNUM, "Server=x;Uid=app;Pwd={};".format),
    "query": (32, ALNUM, "https://example.com/v1?api_key={}&x=1".format),
    "cookie": (26, ALNUM, "Set-Cookie: session={}; Path=/".format),
    "env file": (32, ALNUM, "ACME_SIGNING_KEY={}".format),
    "json": (20, ALNUM, '{{"client_secret": "{}"}}'.format),
    "pattern of the user": (16, string.digits, lambda core: f"badge #{core.replace('a', '1')}#"),
}
CARD = "4111 1111 1111 1111"
DOORS = (
    *("input", "prompt", "reply", "tool arguments", "tool result", "state", "sent", "metadata"),
    *("exception", "cause of the exception", "expectation", "tag", "rationale", "scorer error"),
    *("case", "model", "nested", "chat", "call in a chat", "result in a chat", "task"),
)


def _core(kind: str, door: str) -> str:
    length, letters, _ = KINDS[kind]
    core = _random(f"{kind} {door}", length, letters)
    if kind == "pattern of the user":
        return core.replace("a", "1")
    return core.upper() if kind == "aws id" else core


def secrets_of(door: str) -> str:
    """A text with a secret of every kind, of which none is at another door."""
    written = (wrap(_random(f"{k} {door}", n, letters)) for k, (n, letters, wrap) in KINDS.items())
    personal = f"{_random(door, 12)}@example.org"
    return "\n".join(f"Here: {text} ." for text in [*written, personal, CARD])


def needles() -> dict[bytes, str]:
    """What no file may hold, in each spelling, and what that is."""
    found: dict[bytes, str] = {}
    for door in DOORS:
        cores = {kind: _core(kind, door) for kind in KINDS} | {"e-mail": _random(door, 12)}
        for kind, core in cores.items():
            for spelt in _spellings(_basic(core).rstrip("=") if kind == "basic" else core):
                found[spelt] = f"{kind} ({door})"
    return found


def _spellings(core: str) -> Iterator[bytes]:
    yield core.encode()
    yield core.encode("utf-16-le")
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + core.encode())
        yield coded[4 if offset else 0 : -4]


APP = """
import json, os
from pathlib import Path
from typing import Annotated, Any, TypedDict
from langchain_core.messages import BaseMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Send
from linenotes.agents import prompt

GIVEN = json.loads(Path(__file__).with_name("given.json").read_text())


class State(TypedDict, total=False):
    messages: Annotated[list[BaseMessage], add_messages]
    question: str
    fail: bool
    vault: Any
    answer: str


@tool
def lookup(query: str, password: str) -> str:
    "Look it up."
    return GIVEN["tool result"]


def planner(state):
    model = ChatOpenAI(
        model=GIVEN["model"], base_url=GIVEN["url"], api_key=os.environ["CORP_TOKEN"]
    ).bind_tools([lookup])
    said = [("system", prompt("planner").text), ("user", state["question"])]
    return {"messages": [model.invoke([*said, *state.get("messages", [])])]}


def route(state):
    if state["messages"][-1].tool_calls:
        return "tools"
    return [Send(GIVEN["agent"], {"note": GIVEN["sent"], "fail": state.get("fail", False)})]


def worker(payload):
    if payload["fail"]:
        try:
            raise ValueError(GIVEN["cause of the exception"])
        except ValueError as error:
            raise RuntimeError(GIVEN["exception"]) from error
    login = {"password": "correct horse battery staple", "nested": [{"x": GIVEN["nested"]}]}
    answer = "The passphrase is correct horse battery staple, " + os.environ["CORP_TOKEN"]
    return {"vault": {"text": GIVEN["state"], "login": login}, "answer": answer}


def build():
    graph = StateGraph(State)
    graph.add_node("planner", planner)
    graph.add_node("tools", ToolNode([lookup]))
    graph.add_node(GIVEN["agent"], worker)
    graph.add_edge(START, "planner")
    graph.add_conditional_edges("planner", route, ["tools", GIVEN["agent"]])
    graph.add_edge("tools", "planner")
    graph.add_edge(GIVEN["agent"], END)
    return graph.compile().with_config(metadata={"note": GIVEN["metadata"]}, tags=["x"])
"""
SCORERS = """
import json
from pathlib import Path
from linenotes.evals import Score

GIVEN = json.loads(Path(__file__).with_name("given.json").read_text())


def judged(sample):
    return Score("judged", value=True, rationale=GIVEN["rationale"])


def broken(sample):
    raise ValueError(GIVEN["scorer error"])


def same_secret(sample):
    return sample.output["vault"]["text"] == sample.expectations["text"]
"""
SETTINGS = """
[tool.linenotes.redaction]
personal = true
patterns.badge = '#(?P<secret>\\d{16})#'
"""
CORP = "corp.Zq7-41!x(9)f"
PHRASE = "correct horse battery staple"


class Provider(ThreadingHTTPServer):
    """Calls the tool, and once it has the result, answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message: dict[str, Any] = {"role": "assistant", "content": secrets_of("reply")}
        if not any(one["role"] == "tool" for one in asked["messages"]):
            arguments = {"query": secrets_of("tool arguments"), "password": PHRASE}
            function = {"name": "lookup", "arguments": json.dumps(arguments)}
            message["tool_calls"] = [{"id": "c1", "type": "function", "function": function}]
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        reply = {"id": "r1", "object": "chat.completion", "created": 1, "model": asked["model"]}
        body = json.dumps({**reply, "choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        yield server
        server.shutdown()


@pytest.fixture
def leaky(tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose agent lets secrets out at every door."""
    given = {door: secrets_of(door) for door in DOORS}
    given |= {"url": f"http://127.0.0.1:{provider.server_port}/v1", "agent": _agent_name()}
    cases = [
        {
            "id": f"case {number} {_random(f'case {number}', 12)}@example.org",
            "inputs": {"question": f"{number} {secrets_of('case')}", "fail": number == 1},
            "expectations": {"text": secrets_of("state"), "other": secrets_of("expectation")},
            "tags": {"origin": secrets_of("tag")},
        }
        for number in range(2)
    ]
    files = {
        "pyproject.toml": SETTINGS,
        "app.py": APP,
        "scorers.py": SCORERS,
        "given.json": json.dumps(given),
        "prompts/planner/v1.md": secrets_of("prompt"),
        "chats.json": json.dumps([_chat()]),
        "cases.jsonl": "\n".join(orjson.dumps(case).decode() for case in cases),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LINENOTES_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("CORP_TOKEN", CORP)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def collector(collectors: Callable[[str], Collector], monkeypatch: pytest.MonkeyPatch) -> Collector:
    """A collector that the environment names."""
    started = collectors("http/protobuf")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", started.address)
    return started


def _agent_name() -> str:
    return "sk-proj-" + _random("agent name", 40)


def _forbidden() -> dict[bytes, str]:
    return needles() | {
        CORP.encode(): "environment",
        CARD.encode(): "card",
        PHRASE.encode(): "a password that only its key gives away",
        _random("agent name", 40).encode(): "agent name",
        **{_random(f"case {number}", 12).encode(): "id of a case" for number in range(2)},
    }


def _leaks(content: bytes) -> set[str]:
    return {what for needle, what in _forbidden().items() if needle in content}


def _cells(database: Path) -> bytes:
    """Everything in a database: raw pages cut long values in pieces."""
    with sqlite3.connect(database) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        rows = [
            row
            for (table,) in tables.fetchall()
            for row in connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608  our own names
        ]
    connection.close()
    return "\n".join(str(cell) for row in rows for cell in row).encode()


def _carry_out(cli: Callable[..., Ended]) -> list[Ended]:
    """Run the agent, let it fail, evaluate it, publish that again, and import a chat."""
    inputs = {"question": secrets_of("input")}
    failing = json.dumps({**inputs, "fail": True})
    scorers = [f"--scorer=scorers.py:{name}" for name in ("judged", "same_secret", "broken")]
    return [
        cli("run", "app.py:build", "--input", json.dumps(inputs)),
        cli("run", "app.py:build", "--json", "--input", failing),
        cli("eval", "app.py:build", "--dataset=cases.jsonl", "--samples=1", *scorers),
        cli("eval", "--resume", "latest", "--json"),
        cli("trace", "import", "chats.json"),
        cli("trace", "export", "latest"),
    ]


def _record(folder: Path) -> bytes:
    """Record the agent as any program would, store that, and return the file of the running one."""
    graph = import_code("app.py", Project.find()).build()
    with record(durable=True) as ledger:
        graph.invoke({"question": secrets_of("input")})
        (live,) = (folder / "state" / "live").glob("*.jsonl")
        running = live.read_bytes()
    store_trace(ledger.trace)
    return running


def _chat() -> dict[str, Any]:
    """A conversation that was held elsewhere, in the OpenAI chat format."""
    arguments = json.dumps({"query": secrets_of("call in a chat"), "password": PHRASE})
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": arguments}}
    said = [
        {"role": "user", "content": f"{secrets_of('chat')} {PHRASE}"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": secrets_of("result in a chat")},
        {"role": "assistant", "content": f"It is {PHRASE}."},
    ]
    return {"task": {"note": secrets_of("task")}, "trial": 0, "reward": 1.0, "messages": said}


def _written(folder: Path, before: set[Path]) -> dict[str, bytes]:
    """The content of every file that is new, and of the database cell by cell."""
    new = [path for path in folder.rglob("*") if path.is_file() and path not in before]
    files = {str(path.relative_to(folder)): path.read_bytes() for path in new}
    return files | {"cells": _cells(folder / "state" / "mlflow.db")}


@pytest.mark.slow
def test_no_secret_is_on_disk_after_running_and_evaluating(
    leaky: Path, cli: Callable[..., Ended], collector: Collector
) -> None:
    own = set(leaky.rglob("*"))
    ended = _carry_out(cli)
    told = "".join(one.err for one in ended)
    assert [one.code for one in ended] == [0, 1, 0, 0, 0, 0], told
    assert ended[3].json["metrics"]["same_secret"]["mean"] is not None
    assert _leaks("".join(one.out + one.err for one in ended).encode()) == set()

    running = _record(leaky)
    sent = [request.SerializeToString() for request in collector.requests]
    written = _written(leaky, own) | {"live": running, "sent": b"".join(sent)}
    assert {"journal.jsonl", "mlflow.db", "samples.json"} <= {Path(name).name for name in written}
    leaks = {name: _leaks(content) for name, content in written.items()}
    assert {name: found for name, found in leaks.items() if found} == {}
    everything = b"".join(written.values())
    for placeholder in (b"[secret:openai-key:", b"[personal:email:", b"[secret:badge:"):
        assert all(placeholder in part for part in (everything, running, b"".join(sent)))


@pytest.mark.slow
def test_without_redaction_the_same_secrets_are_on_disk(
    leaky: Path, cli: Callable[..., Ended], collector: Collector
) -> None:
    off = "[tool.linenotes.redaction]\nsecrets = false\nmax-characters = 10_000_000\n"
    (leaky / "pyproject.toml").write_text(off, encoding="utf-8")
    own = set(leaky.rglob("*"))
    _carry_out(cli)
    assert _leaks(_record(leaky)) >= {"environment", "card", "openai (reply)"}
    sent = _leaks(b"".join(request.SerializeToString() for request in collector.requests))
    assert sent >= {"environment", "card", "openai (reply)", "openai (rationale)"}
    leaks = _leaks(b"".join(_written(leaky, own).values()))
    # A graph's metadata is not recorded, and the message of a scorer's error is short.
    missing = {what for what in set(_forbidden().values()) - leaks if "(metadata)" not in what}
    assert {what for what in missing if "(scorer error)" not in what} == set()
    assert len({what.partition(" (")[0] for what in leaks}) > 30
