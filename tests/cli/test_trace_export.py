from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli
    from tests.conftest import Collector


@pytest.fixture
def trace_id(project: Path, cli: Cli) -> str:
    return str(cli("run", "app.py:build", "hello", "--json").json["trace_id"])


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_stored_trace_is_sent_by_either_protocol(
    trace_id: str, cli: Cli, collectors: Callable[[str], Collector], protocol: str
) -> None:
    collector = collectors(protocol)
    where = ("--endpoint", collector.address, "--protocol", protocol)
    ended = cli("trace", "export", trace_id[:12], *where)
    assert ended.code == 0
    assert f"sent 1 of 1 traces to {collector.address}" in ended.out
    assert collector.trace_ids == [trace_id]


def test_a_run_sends_its_trace_by_itself(
    project: Path,
    cli: Cli,
    collectors: Callable[[str], Collector],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collector = collectors("http/protobuf")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
    ran = cli("run", "app.py:build", "hello", "--json")
    assert collector.trace_ids == [ran.json["trace_id"]]
    assert cli("trace", "show", str(ran.json["trace_id"])).code == 0


def test_the_settings_of_the_project_name_a_collector(
    project: Path, cli: Cli, collectors: Callable[[str], Collector]
) -> None:
    collector = collectors("grpc")
    settings = project / "pyproject.toml"
    otlp = f'[tool.linenotes.otlp]\nendpoint = "{collector.address}"\nprotocol = "grpc"\n'
    settings.write_text(settings.read_text(encoding="utf-8") + otlp, encoding="utf-8")
    ran = cli("run", "app.py:build", "hello", "--json")
    assert collector.trace_ids == [ran.json["trace_id"]]


def test_all_traces_of_a_run_are_sent_with_their_scores(
    project: Path, cli: Cli, collectors: Callable[[str], Collector]
) -> None:
    collector = collectors("http/protobuf")
    evaluated = cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--samples", "2", "--json")
    ended = cli("trace", "export", "--run", "latest", "--endpoint", collector.address, "--json")
    assert ended.code == 0
    document = ended.json
    assert document.keys() == {
        "schema_version", "endpoint", "protocol", "sent", "not_sent", "reason"
    }  # fmt: skip
    assert (document["endpoint"], document["protocol"]) == (
        f"{collector.address}/v1/traces",
        "http/protobuf",
    )
    assert isinstance(document["sent"], list)
    assert len(document["sent"]) == 12
    assert set(document["sent"]) == set(collector.trace_ids)
    roots = [span for span in collector.spans if not span.parent_span_id]
    assert {event.name for root in roots for event in root.events} == {"gen_ai.evaluation.result"}
    runs = {a.value.string_value for r in roots for a in r.attributes if a.key == "linenotes.run"}
    assert runs == {evaluated.json["run_id"]}


def test_a_collector_that_refuses_is_exit_1_with_the_reason(
    trace_id: str, cli: Cli, collectors: Callable[[str], Collector]
) -> None:
    collector = collectors("http/protobuf")
    collector.refusal = 403
    ended = cli("trace", "export", trace_id, "--endpoint", collector.address)
    assert ended.code == 1
    assert "1 did not arrive: 403 Forbidden" in ended.out


def test_without_a_collector_it_is_said_how_to_name_one(trace_id: str, cli: Cli) -> None:
    ended = cli("trace", "export", trace_id)
    assert ended.code == 2
    assert "--endpoint URL" in ended.err


@pytest.mark.parametrize("which", [(), ("tr-1", "--run", "latest")])
def test_traces_are_named_in_one_way(project: Path, cli: Cli, which: tuple[str, ...]) -> None:
    assert cli("trace", "export", *which, "--endpoint", "http://127.0.0.1:1").code == 2


def test_a_trace_that_is_not_there_is_exit_2(project: Path, cli: Cli) -> None:
    ended = cli("trace", "export", "tr-0123456789abcdef", "--endpoint", "http://127.0.0.1:1")
    assert ended.code == 2
    assert "0123456789abcdef" in ended.err
