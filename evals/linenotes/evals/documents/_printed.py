"""Which command prints which document, and the JSON schemas of all.

The schemas in `schemas/` are generated from the models, so what is documented is what is printed.
"""

from __future__ import annotations

import json
from importlib import resources
from importlib.resources.abc import Traversable

from pydantic import BaseModel, TypeAdapter

from linenotes.evals.documents._action_documents import (
    DoctorDocument,
    ExecutionDocument,
    TraceExportDocument,
)
from linenotes.evals.documents._comparison_documents import ReportDocument
from linenotes.evals.documents._cost_documents import CostsDocument, PricesDocument
from linenotes.evals.documents._estimate_documents import EstimateDocument
from linenotes.evals.documents._failure_documents import FailuresDocument
from linenotes.evals.documents._gate_document import GateDocument
from linenotes.evals.documents._history_documents import (
    FlakyDocument,
    QuarantineDocument,
    SelfCheckDocument,
)
from linenotes.evals.documents._judge_documents import CalibrationDocument, RepeatsDocument
from linenotes.evals.documents._recordings_documents import (
    RecordingsListDocument,
    RecordingsMergeDocument,
    RecordingsPruneDocument,
    RecordingsShowDocument,
    RecordingsVerifyDocument,
)
from linenotes.evals.documents._run_documents import (
    EvaluationDocument,
    ImportDocument,
    ResultsDocument,
    RunDocument,
    VersionsDocument,
)
from linenotes.evals.documents._scorer_documents import ScorersDocument
from linenotes.evals.documents._sizing_documents import SizingDocument
from linenotes.evals.documents._suite_documents import SuiteDocument
from linenotes.evals.documents._trace_documents import TraceDocument, TraceListDocument

_PRINTED = {
    "eval": TypeAdapter[BaseModel](EvaluationDocument | VersionsDocument),
    "eval-estimate": TypeAdapter[BaseModel](EstimateDocument),
    "costs": TypeAdapter[BaseModel](CostsDocument),
    "prices": TypeAdapter[BaseModel](PricesDocument),
    "scorers": TypeAdapter[BaseModel](ScorersDocument),
    "plan": TypeAdapter[BaseModel](SizingDocument),
    "pytest": TypeAdapter[BaseModel](SuiteDocument),
    "aa": TypeAdapter[BaseModel](SelfCheckDocument),
    "failures": TypeAdapter[BaseModel](FailuresDocument),
    "flaky": TypeAdapter[BaseModel](FlakyDocument),
    "flaky-quarantine": TypeAdapter[BaseModel](QuarantineDocument),
    "judge-calibrate": TypeAdapter[BaseModel](CalibrationDocument),
    "judge-repeat": TypeAdapter[BaseModel](RepeatsDocument),
    "compare": TypeAdapter[BaseModel](ReportDocument),
    "gate": TypeAdapter[BaseModel](GateDocument),
    "score": TypeAdapter[BaseModel](RunDocument),
    "publish": TypeAdapter[BaseModel](RunDocument),
    "import": TypeAdapter[BaseModel](ResultsDocument),
    "trace-import": TypeAdapter[BaseModel](ImportDocument),
    "trace-show": TypeAdapter[BaseModel](TraceDocument),
    "trace-list": TypeAdapter[BaseModel](TraceListDocument),
    "trace-doctor": TypeAdapter[BaseModel](DoctorDocument),
    "trace-export": TypeAdapter[BaseModel](TraceExportDocument),
    "recordings-list": TypeAdapter[BaseModel](RecordingsListDocument),
    "recordings-show": TypeAdapter[BaseModel](RecordingsShowDocument),
    "recordings-prune": TypeAdapter[BaseModel](RecordingsPruneDocument),
    "recordings-verify": TypeAdapter[BaseModel](RecordingsVerifyDocument),
    "recordings-merge": TypeAdapter[BaseModel](RecordingsMergeDocument),
    "run": TypeAdapter[BaseModel](ExecutionDocument),
}
DOCUMENTS = tuple(_PRINTED)
"""The names of the documents: the commands that print them."""


def json_schema(command: str) -> str:
    """Return the JSON schema of what `command` prints, such as `eval` or `trace-show`."""
    schema = _PRINTED[command].json_schema(mode="serialization")
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**dialect, **schema}, indent=2) + "\n"


def json_schema_file(command: str) -> Traversable:
    """Return the file that is shipped, such as `schemas/eval.schema.json`."""
    return resources.files("linenotes.evals").joinpath("schemas", f"{command}.schema.json")
