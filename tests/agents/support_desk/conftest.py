"""A support desk whose models decide by script, over the wire that real providers use."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from langgraph.graph.state import CompiledStateGraph

from linenotes.agents.support_desk import build
from linenotes.project import Project

Graph = CompiledStateGraph[Any, Any, Any, Any]
AGENTS = ("triage", "specialist", "reviewer")


class Provider(ThreadingHTTPServer):
    """An endpoint of the OpenAI protocol. The model `triage` is triage's, and so on."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.decisions: dict[str, list[str]] = {}
        """What each model decides, call by call."""
        self.asked: list[dict[str, Any]] = []

    def answer(self, asked: dict[str, Any]) -> str:
        self.asked.append(asked)
        (field,) = asked["response_format"]["json_schema"]["schema"]["properties"]
        return json.dumps({field: self.decisions[asked["model"]].pop(0)})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Provider

    def do_POST(self) -> None:  # the name that http.server calls
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = {"role": "assistant", "content": self.server.answer(asked)}
        head = {"id": f"call-{len(self.server.asked)}", "created": 1, "model": asked["model"]}
        if asked.get("stream"):
            choice = {"index": 0, "delta": said, "finish_reason": "stop"}
            chunk = {**head, "object": "chat.completion.chunk", "choices": [choice]}
            self._send("text/event-stream", f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n")
        else:
            choice = {"index": 0, "message": said, "finish_reason": "stop"}
            completion = {**head, "object": "chat.completion", "choices": [choice]}
            self._send("application/json", json.dumps(completion))

    def _send(self, kind: str, body: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        yield server
        server.shutdown()


@pytest.fixture
def asked(provider: Provider) -> list[dict[str, Any]]:
    """The requests that the provider got."""
    return provider.asked


@pytest.fixture
def desk(
    provider: Provider, make_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Graph]:
    """Build the desk with the decisions of its agents, call by call."""

    def make(*, prompts: str = "v2", **decisions: list[str]) -> Graph:
        endpoint = f'base-url = "http://127.0.0.1:{provider.server_port}/v1"\n'
        settings = "[tool.linenotes.prompts]\n"
        settings += "".join(f'{name} = "{prompts}"\n' for name in AGENTS)
        for name in AGENTS:
            settings += f'[tool.linenotes.models.{name}]\nmodel = "{name}"\n{endpoint}'
        make_project(**{"pyproject.toml": settings})
        monkeypatch.setenv("OPENAI_API_KEY", "a-key")
        provider.decisions = {agent: list(said) for agent, said in decisions.items()}
        return build()

    return make
