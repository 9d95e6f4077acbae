from collections.abc import Iterator

import pytest
from openai import OpenAI

from linenotes.evals.testing import ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server, server.in_environment():
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[OpenAI]:
    with OpenAI() as client:
        yield client
