from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from linenotes.agents import AgentVersion
from linenotes.datasets import Case, Dataset
from linenotes.evals import (
    DOCUMENTS,
    Arm,
    Budget,
    ComparisonReport,
    Evaluation,
    Failure,
    ListedPrice,
    RunComparison,
    RunResult,
    compare_all,
    comparison_document,
    cost_lines,
    costs_document,
    doctor_document,
    estimate_document,
    evaluation_document,
    execution_document,
    failures_document,
    find_scorers,
    forecast,
    json_schema,
    json_schema_file,
    prices_document,
    run_failures,
    run_once,
    trace_document,
    trace_export_document,
    trace_list_document,
)
from linenotes.evals.documents._printed import _PRINTED
from linenotes.project import Project
from linenotes.tracing import (
    ExportResult,
    OtlpTarget,
    TraceHeader,
    discard_live,
    find_live,
    record,
)

Evaluated = tuple[list[RunResult], list[RunComparison]]


def check(command: str, document: object) -> None:
    """The models of the contract admit the document as printed, and no other key."""
    printed = json.loads(json.dumps(document, allow_nan=False))
    _PRINTED[command].validate_python(printed, strict=False)
    with pytest.raises(ValidationError):
        _PRINTED[command].validate_python({**printed, "another_key": 1})


@pytest.mark.parametrize("command", DOCUMENTS)
def test_the_shipped_schema_is_that_of_the_documents(command: str) -> None:
    assert json_schema_file(command).read_text(encoding="utf-8") == json_schema(command), (
        "Write it again: python -c 'from linenotes.evals import *; "
        '[open(str(json_schema_file(c)), "w").write(json_schema(c)) for c in DOCUMENTS]\''
    )


@pytest.mark.parametrize("command", DOCUMENTS)
def test_a_schema_requires_every_key_that_is_printed(command: str) -> None:
    schema = json.loads(json_schema(command))
    for part in [schema, *schema.get("$defs", {}).values()]:
        if "properties" in part:
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])


def test_no_schema_is_left_over() -> None:
    folder = resources.files("linenotes.evals").joinpath("schemas")
    shipped = {path.name for path in folder.iterdir()}
    assert shipped == {f"{command}.schema.json" for command in DOCUMENTS}


@pytest.fixture
def evaluated(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> Callable[..., Evaluated]:
    def run(*labels: str, baseline: bool = False) -> Evaluated:
        version: AgentVersion = one_node()
        project = version.agent.project
        arms = [Arm(version.labelled(label), 1) for label in labels]
        if baseline:
            arms.insert(0, Arm(version.labelled("base"), 1, baseline=True))
        results = Evaluation(project).run(arms, numbers(3), find_scorers([], project))
        compared = compare_all([result.record for result in results], target="population")
        return results, compared

    return run


def test_one_version_is_one_flat_document(evaluated: Callable[..., Evaluated]) -> None:
    results, compared = evaluated("v1")
    document: Any = evaluation_document(results, compared)
    check("eval", document)
    assert document == {**results[0].document(), "baseline": None, "comparisons": []}


def test_a_baseline_stands_inside_the_document_of_the_version(
    evaluated: Callable[..., Evaluated],
) -> None:
    results, compared = evaluated("v1", baseline=True)
    document: Any = evaluation_document(results, compared)
    check("eval", document)
    assert document["version"] == "v1"
    assert document["baseline"]["version"] == "base"
    assert [c["candidate_version"] for c in document["comparisons"]] == ["v1"]


def test_several_versions_are_a_list_of_runs(evaluated: Callable[..., Evaluated]) -> None:
    results, compared = evaluated("v1", "v2", baseline=True)
    document: Any = evaluation_document(results, compared)
    check("eval", document)
    assert [run["version"] for run in document["runs"]] == ["base", "v1", "v2"]
    pairs = [(c["base_version"], c["candidate_version"]) for c in document["comparisons"]]
    assert pairs == [("v1", "v2"), ("base", "v1"), ("base", "v2")]


def test_a_comparison_has_the_keys_of_the_contract(evaluated: Callable[..., Evaluated]) -> None:
    results, (comparison,) = evaluated("v1", "v2")
    base, candidate = (result.record for result in results)
    document: Any = comparison_document(ComparisonReport.of(base, [candidate, base]))
    check("compare", document)
    assert comparison.document().keys() < document.keys()
    assert document["others"][0].keys() == document.keys() - {"others"}
    wanted = [
        "metric",
        "base",
        "candidate",
        "n",
        "delta",
        "low",
        "high",
        "target",
        "margin",
        "verdict",
        "detectable_change",
    ]
    assert set(wanted) <= set(document)


@pytest.mark.parametrize("node", ["return {'answer': 'yes'}", "raise ValueError('no')"])
def test_an_execution_and_its_trace_have_the_keys_of_the_contract(
    one_node: Callable[..., AgentVersion], node: str
) -> None:
    version = one_node(f"def answer(state):\n    {node}\n")
    execution = run_once(version, Case(id="ad-hoc", inputs={"question": "ok?"}))
    document: Any = execution_document(execution)
    check("run", document)
    keys = ["trace_id", "output", "error", "cost", "passed", "reason", "suspect", "messages"]
    assert list(document) == ["schema_version", *keys]
    shown: Any = trace_document(execution.sample.trace)
    check("trace-show", shown)
    wanted = ["trace_id", "agent", "state", "case", "sample", "tokens", "cost", "actors", "spans"]
    assert {*wanted, "messages", "schema_version"} <= set(shown)
    wanted = ["id", "kind", "sender", "recipients", "seen_by", "cause", "text", "content", "cost"]
    for message in shown["messages"]:
        assert set(wanted) <= set(message)
    assert shown["messages"] == document["messages"]


def test_a_list_of_traces_has_the_keys_of_the_contract() -> None:
    header = TraceHeader(
        trace_id="tr-" + "0" * 32,
        name="desk",
        state="IN_PROGRESS",
        start_ns=1,
        duration=None,
        case=None,
        sample=None,
        version=None,
        run_id=None,
        request="Hello?",
        response="",
        agents=("triage", "desk"),
        tokens=3,
        cost=None,
        error=None,
    )
    document: Any = trace_list_document([header])
    check("trace-list", document)
    assert document["traces"][0]["agents"] == ["triage", "desk"]
    assert document["traces"][0]["seconds"] is None


def test_an_export_shows_its_collector_without_a_password() -> None:
    target = OtlpTarget("http://me:secret@collector:4318/v1/traces", "http/protobuf")
    result = ExportResult(("tr-1",), ("tr-2",), "403 Forbidden")
    document: Any = trace_export_document(target, result)
    check("trace-export", document)
    assert document["endpoint"] == "http://collector:4318/v1/traces"
    assert (document["sent"], document["not_sent"]) == (["tr-1"], ["tr-2"])
    assert document["reason"] == "403 Forbidden"


def test_the_schemas_are_part_of_the_wheel() -> None:
    root = Path(__file__).parents[3]
    build = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert "evals/linenotes" in build["targets"]["wheel"]["only-include"]
    assert json_schema_file("run").is_file()


def test_the_doctors_document_tells_the_dead_from_the_living(
    make_project: Callable[..., Project],
) -> None:
    project = make_project()
    with record(project=project, durable=True, agent="desk", case="c1", sample=0) as ledger:
        alive = find_live(project, ledger.trace_id)
        assert alive is not None
        abandoned = replace(alive, alive=False)
        document: Any = doctor_document([abandoned], [alive], closed=True)
    check("trace-doctor", document)
    assert document["abandoned"] == document["alive"]
    [one] = document["alive"]
    assert (one["agent"], one["case"], one["sample"], one["messages"]) == ("desk", "c1", 0, 0)
    assert one["last_heard"].endswith("+00:00")
    discard_live(project, one["trace_id"])


def test_an_estimate_has_the_keys_of_the_contract(
    evaluated: Callable[..., Evaluated],
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
) -> None:
    results, _ = evaluated("v1")
    arms = [Arm(one_node().labelled(label), 2) for label in ("v1", "v2")]
    found = forecast(
        arms, numbers(3), [results[0].record, None], concurrency=8, budget=Budget(calls=5)
    )
    document: Any = estimate_document(found)
    check("eval-estimate", document)
    known, unknown = document["versions"]
    assert known["told_from"]["run_id"] == results[0].record.plan.run_id
    assert (unknown["told_from"], unknown["calls"], document["total"]["calls"]) == (None,) * 3


def test_costs_and_prices_have_the_keys_of_the_contract(make_record: Callable[..., Any]) -> None:
    record = make_record({"a": [True], "b": [True]})
    costs: Any = costs_document(cost_lines([record], "agent"), "agent", [record.plan.run_id])
    check("costs", costs)
    assert [(line["name"], line["calls"]) for line in costs["lines"]] == [("answer", 2)]
    prices: Any = prices_document([ListedPrice("m", ("default",), None)])
    check("prices", prices)
    assert prices["prices"][0]["source"] is None


def test_failures_have_the_keys_of_the_contract(make_record: Callable[..., Any]) -> None:
    lost = {("a", 2): Failure("infrastructure", "Timeout", "")}
    record = make_record({"a": [True, False, True], "b": [False]}, failed=lost)
    document: Any = failures_document(run_failures(record))
    check("failures", document)
    assert [case["samples"] for case in document["cases"]] == [[False], [True, False, None]]
    assert document["cases"][1]["failures"][0]["beside"] == record.outcomes["a", 0].trace_id
