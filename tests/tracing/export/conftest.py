"""A collector of either protocol, and where it is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from linenotes.tracing import OtlpTarget

if TYPE_CHECKING:
    from tests.conftest import Collector


@pytest.fixture(params=["http/protobuf", "grpc"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def collector(protocol: str, collectors: Callable[[str], Collector]) -> Collector:
    return collectors(protocol)


@pytest.fixture
def target(protocol: str, collector: Collector) -> OtlpTarget:
    path = "" if protocol == "grpc" else "/v1/traces"
    return OtlpTarget(collector.address + path, protocol)  # type: ignore[arg-type]
