"""A model provider that needs no model: OpenAI's API on 127.0.0.1, deterministic and offline.

Graphs run against it unchanged: they read its address from the environment. What it says is
scripted, or improvised from the tools and schemas that each request offers. It keeps every
exchange.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from types import TracebackType
from typing import Self

from pydantic import JsonValue

from linenotes.evals.testing import _chat_completions, _embeddings, _responses
from linenotes.evals.testing._api_content import CREATED
from linenotes.evals.testing._exchange import Exchange, Reply, Request, Turn
from linenotes.evals.testing._faults import Fault, Faults
from linenotes.evals.testing._improvisation import improvise
from linenotes.evals.testing._listener import Answer, Listener
from linenotes.evals.testing._scripts import Script, Scripts
from linenotes.evals.testing._traffic import Traffic
from linenotes.tracing import Tokens


class ScriptedServer:
    """A loopback server of OpenAI's API: chat completions, responses, embeddings, models.

        with ScriptedServer() as server, server.in_environment():
            graph.invoke({"messages": [("user", "Hello")]})
        assert server.requests

    Without a script it calls offered tools, with arguments that fit their schemas, for a few
    rounds, then answers in text; structured output fits its schema; the same request always gets
    the same reply. A failure of a script is told to the client as HTTP 400 and raised again when
    the `with` block ends.

    Args:
        script: what it says to all requests that no other script is for.
        models: scripts by the name of the model.
        texts: scripts by a text in the prompt; the first that it contains decides.
        seed: another seed improvises other replies.
        tool_rounds: after how many turns of agents it improvises no more calls of tools.
        faults: what goes wrong with which request.
        latency: seconds that each reply takes.
        max_in_flight: with more requests under way it answers 429.
        retry_after: the seconds that such a 429 asks to wait; None leaves the header out.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        models: Mapping[str, Script] | None = None,
        texts: Mapping[str, Script] | None = None,
        seed: int = 0,
        tool_rounds: int = 3,
        faults: Faults | None = None,
        latency: float = 0.0,
        max_in_flight: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        self._scripts = Scripts(script, models or {}, texts or {})
        self._seed = seed
        self._tool_rounds = tool_rounds
        self._faults = faults
        self._latency = latency
        self._traffic = Traffic(max_in_flight)
        self._refusal = Fault.status(429, retry_after=retry_after)
        self._lock = threading.Lock()
        self._exchanges: list[Exchange] = []
        self._asked: Counter[str] = Counter()
        self._conversations: dict[str, tuple[Turn, ...]] = {}
        self._failures: list[Exception] = []
        self._listener: Listener | None = None

    def __enter__(self) -> Self:
        self._listener = Listener(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._listener is not None
        self._listener.stop()
        self._listener = None
        if self._failures and error is None:
            raise self._failures[0]

    @property
    def base_url(self) -> str:
        """Where it is, while the `with` block runs: `http://127.0.0.1:PORT/v1`."""
        assert self._listener is not None, "The server runs inside its `with` block only."
        return f"http://127.0.0.1:{self._listener.server_port}/v1"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point OpenAI's client, and what is built on it, to this server."""
        return {
            "OPENAI_API_BASE": self.base_url,
            "OPENAI_API_KEY": "scripted",
            "OPENAI_BASE_URL": self.base_url,
        }

    @contextmanager
    def in_environment(self) -> Iterator[Self]:
        """Set `environment` in this process while the block runs."""
        before = {name: os.environ.get(name) for name in self.environment}
        os.environ.update(self.environment)
        try:
            yield self
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Every request with its reply, in the order in which they came."""
        with self._lock:
            return tuple(self._exchanges)

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request for a reply, in the order in which they came."""
        return tuple(exchange.request for exchange in self.exchanges)

    @property
    def faults(self) -> Counter[str]:
        """How often which kind of fault was met; the statuses by their number."""
        return self._traffic.faults

    @property
    def most_in_flight(self) -> int:
        """The most requests that it was replying to at the same time."""
        return self._traffic.most

    @property
    def tokens(self) -> Tokens:
        """The usage of all replies together."""
        return sum((exchange.tokens for exchange in self.exchanges), Tokens())

    def answer(self, method: str, path: str, body: bytes, api_key: str | None) -> Answer:
        """Answer one HTTP request; called by the wire."""
        try:
            return self._route(method, path, body, api_key)
        except ValueError as error:
            return _error(HTTPStatus.BAD_REQUEST, str(error))

    def _route(self, method: str, path: str, body: bytes, api_key: str | None) -> Answer:
        match method, path.removeprefix("/v1/").split("/"):
            case "POST", ["chat", "completions"]:
                return self._complete(_chat_completions.read_request(body, api_key))
            case "POST", ["responses"]:
                with self._lock:
                    said_before = dict(self._conversations)
                return self._respond(_responses.read_request(body, api_key, said_before))
            case "POST", ["embeddings"]:
                return Answer(_embeddings.document(body))
            case "GET", ["models"]:
                return Answer({"object": "list", "data": [_model(name) for name in self._models]})
            case "GET", ["models", name]:
                return Answer(_model(name))
        return _error(HTTPStatus.NOT_FOUND, f"Nothing is at {method} {path}.")

    @property
    def _models(self) -> list[str]:
        return sorted({*self._scripts.models, *(request.model for request in self.requests)})

    def _complete(self, request: Request) -> Answer:
        return self._reply_to(request, self._completion)

    def _respond(self, request: Request) -> Answer:
        return self._reply_to(request, self._response)

    def _reply_to(self, request: Request, reply: Callable[[Request], Answer]) -> Answer:
        """Reply, unless something goes wrong before the model has a say."""
        fault = self._faults(request, self._traffic.seen(request)) if self._faults else None
        with self._traffic.one_more() as is_too_many:
            if is_too_many:
                fault = self._refusal
            if fault is None or fault.has_reply:
                self._sleep()
        if fault is None:
            return reply(request)
        self._traffic.note(fault)
        told = reply(request) if fault.has_reply else _error(fault.http_status, fault.text)
        return replace(told, fault=fault)

    def _sleep(self) -> None:
        if self._latency and self._listener is not None:
            self._listener.ending.wait(self._latency)

    def _completion(self, request: Request) -> Answer:
        exchange = self._exchange(request)
        if request.stream:
            return Answer(_chat_completions.events(exchange))
        return Answer(_chat_completions.document(exchange))

    def _response(self, request: Request) -> Answer:
        exchange = self._exchange(request)
        with self._lock:
            known = _responses.conversation(exchange)
            self._conversations[_responses.response_id(exchange)] = known
        if request.stream:
            return Answer(_responses.events(exchange))
        return Answer(_responses.document(exchange))

    def _exchange(self, request: Request) -> Exchange:
        with self._lock:
            reply = self._reply(request)
            exchange = Exchange.of(request, reply, self._asked[request.digest])
            self._asked[request.digest] += 1
            self._exchanges.append(exchange)
        return exchange

    def _reply(self, request: Request) -> Reply:
        try:
            scripted = self._scripts.reply(request)
        except Exception as error:
            self._failures.append(error)
            raise ValueError(f"{type(error).__name__}: {error}") from error
        return scripted or improvise(request, seed=self._seed, tool_rounds=self._tool_rounds)


def _model(name: str) -> JsonValue:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "linenotes"}


def _error(status: int, message: str) -> Answer:
    return Answer({"error": {"message": message, "type": "invalid_request_error"}}, status)
