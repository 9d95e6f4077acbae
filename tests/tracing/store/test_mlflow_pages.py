"""What MLflow's pages read of our traces, which MLflow does not document.

The shapes were found by looking at the pages. A version of MLflow that nobody has looked at yet
fails here: look at its pages, see whether the tests below still say what they need, and add it.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from linenotes.tracing import FiledTrace, MlflowStore, start_ui
from linenotes.tracing._conventions import MESSAGE_ID

LOOKED_AT = {"3.17.2"}
"""The versions of MLflow whose pages were looked at."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

TOKENS = {"input_tokens", "output_tokens", "total_tokens"}
MakeFiled = Callable[..., FiledTrace]


def test_the_pages_of_the_installed_mlflow_were_looked_at() -> None:
    import mlflow

    assert mlflow.__version__ in LOOKED_AT


@dataclass(frozen=True)
class Read:
    """What the pages get of one trace."""

    info: dict[str, Any]
    spans: dict[str, dict[str, Any]]
    """Name to attributes; of spans with one name the first."""


@pytest.fixture(scope="module")
def read(store: MlflowStore, desk_filed: MakeFiled) -> Read:
    filed = desk_filed("pages", 1, run_id="ba" * 16)
    trace = filed.trace
    said = replace(trace.messages[1], cost=0.0025)
    model = replace(trace.spans[2], attributes={**trace.spans[2].attributes, MESSAGE_ID: said.id})
    trace = replace(
        trace,
        messages=(trace.messages[0], said, *trace.messages[2:]),
        spans=(*trace.spans[:2], model, *trace.spans[3:]),
    )
    store.write_traces([replace(filed, trace=trace)])
    return _read(store, trace.trace_id)


def test_lists_find_and_compare_and_group_by_what_the_info_says(read: Read) -> None:
    info, metadata = read.info, read.info["trace_metadata"]
    assert info["request_preview"].startswith("[pages#1] ")  # runs are compared by it
    assert (info["client_request_id"], info["state"]) == ("pages#1", "OK")
    assert metadata["mlflow.trace.session"] == "pages"  # groups the samples of a case
    assert metadata["mlflow.trace_schema.version"] == "3"
    assert metadata["mlflow.sourceRun"] == "ba" * 16
    assert json.loads(metadata["mlflow.trace.tokenUsage"]).keys() >= TOKENS
    assert json.loads(metadata["mlflow.trace.cost"])["total_cost"] == 0.0025
    assert info["tags"].items() >= {
        ("mlflow.traceName", "support_desk"),
        ("agent.triage", "1"),
        ("tool.find_account", "1"),
        ("handoff.triage.specialist", "1"),
    }


def test_each_span_has_the_type_that_gives_it_its_icon(read: Read) -> None:
    assert {name: span["mlflow.spanType"] for name, span in read.spans.items()} == {
        "support_desk": "WORKFLOW",
        "triage": "AGENT",
        "chat smollm2-135m": "CHAT_MODEL",
        "triage → specialist": "HANDOFF",
        "specialist": "AGENT",
        "find_account": "TOOL",
        "reviewer": "AGENT",
        "desk": "AGENT",
    }
    assert all("mlflow.traceRequestId" in span for span in read.spans.values())


@pytest.mark.parametrize("span", ["support_desk", "triage"])
@pytest.mark.parametrize("side", ["mlflow.spanInputs", "mlflow.spanOutputs"])
def test_the_route_is_the_role_and_so_the_title_of_a_bubble(
    read: Read, span: str, side: str
) -> None:
    for bubble in read.spans[span][side]:
        assert " → " in bubble["role"]
        assert [part.keys() for part in bubble["parts"]] == [{"type", "content"}]


def test_a_model_call_is_an_openai_chat_with_tokens_and_cost(read: Read) -> None:
    chat = read.spans["chat smollm2-135m"]
    assert chat["mlflow.message.format"] == "openai"
    assert chat["mlflow.spanInputs"]["messages"][0].keys() == {"role", "content"}
    assert chat["mlflow.spanOutputs"]["choices"][0]["message"].keys() == {"role", "content"}
    assert chat["mlflow.chat.tokenUsage"].keys() == TOKENS
    assert chat["mlflow.llm.cost"] == {"total_cost": 0.0025}


def test_the_trace_panel_finds_what_it_shows(read: Read) -> None:
    root = read.spans["support_desk"]
    assert root["linenotes.view.diagram"].startswith("![")
    assert "user → triage" in root["linenotes.view.conversation"]
    assert root["linenotes.view.messages"] == 8
    assert read.spans["triage"]["linenotes.view.mail"]


@pytest.mark.slow
def test_a_browser_shows_agents_handoffs_and_the_conversation(
    store: MlflowStore, store_folder: Path, desk_filed: MakeFiled, tmp_path: Path
) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"No browser to look with: install one of {', '.join(BROWSERS)}.")
    filed = desk_filed("looked at", run_id="bb" * 16)
    store.write_traces([filed])
    artifacts = store_folder / "artifacts"
    with start_ui(store.tracking_uri, artifacts=artifacts, log=tmp_path / "log") as ui:
        page = f"{ui.url}/#/experiments/{store.experiment_id}/traces"
        shown = _look(browser, f"{page}?selectedEvaluationId={filed.trace.trace_id}", tmp_path)
    spans = shown[shown.index("Spans") :]
    names = ["support_desk", "triage", "specialist", "find_account", "reviewer", "desk"]
    assert [name for name in spans if name in names][: len(names)] == names
    assert "triage → specialist" in spans
    conversation = spans[spans.index("Outputs") :]
    titles = [text for text in conversation if " → " in text]
    assert titles == [message.route for message in filed.trace.messages[1:]]
    assert "Your card is frozen." in conversation


def _look(browser: str, url: str, folder: Path) -> list[str]:
    """Return the texts of a page after its scripts have run, in the order of the page."""
    options = [
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={folder / 'browser'}", "--window-size=1400,1000"),
        *("--virtual-time-budget=60000", "--dump-dom"),
    ]
    seen = subprocess.run(
        [browser, *options, url], capture_output=True, text=True, timeout=300, check=True
    )
    plain = re.sub(r"<(script|style)\b.*?</\1>", "", seen.stdout, flags=re.DOTALL)
    texts = (html.unescape(text).strip() for text in re.split(r"<[^>]+>", plain))
    return [text for text in texts if text]


def _read(store: MlflowStore, trace_id: str) -> Read:
    from mlflow import MlflowClient

    trace = MlflowClient(store.tracking_uri).get_trace(trace_id)
    spans = [span.to_dict() for span in trace.data.spans]
    return Read(
        info=json.loads(trace.to_json())["info"],
        spans={span["name"]: _parsed(span["attributes"]) for span in reversed(spans)},
    )


def _parsed(attributes: dict[str, str]) -> dict[str, Any]:
    return {name: json.loads(value) for name, value in attributes.items()}
