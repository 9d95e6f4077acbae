"""How good it is: the engine, the journal, scorers, statistics and comparisons."""

from linenotes.evals import _forecast_report as forecast_report
from linenotes.evals import _report as report
from linenotes.evals._arms import EVERY, Choice, arms, single_version, versions_of
from linenotes.evals._checkup import Finding, checkup
from linenotes.evals._continuing import StoppedRun, find_stopped
from linenotes.evals._costs import By, CostLine, cost_lines, cost_rows
from linenotes.evals._evaluate import (
    DEFAULT_SAMPLES,
    asked_of_recordings,
    choose_cases,
    evaluate,
    find_case,
)
from linenotes.evals._evaluation import Arm, Evaluation, Interrupted
from linenotes.evals._forecast import Forecast, earlier_runs, forecast
from linenotes.evals._once import Execution, run_once, store_execution
from linenotes.evals._price_list import ListedPrice, price_list, price_rows
from linenotes.evals._results import RunResult
from linenotes.evals._savings import saved
from linenotes.evals._storing import NotPublished
from linenotes.evals.comparing import _comparison_report as comparison_report
from linenotes.evals.comparing._comparison import (
    DEFAULT_MARGIN,
    RunComparison,
    compare_all,
    compare_runs,
    differences,
)
from linenotes.evals.documents._action_documents import (
    doctor_document,
    execution_document,
    trace_export_document,
)
from linenotes.evals.documents._cost_documents import costs_document, prices_document
from linenotes.evals.documents._estimate_documents import estimate_document
from linenotes.evals.documents._gate_document import gate_document, saved_document
from linenotes.evals.documents._printed import DOCUMENTS, json_schema, json_schema_file
from linenotes.evals.documents._recordings_documents import (
    recordings_list_document,
    recordings_merge_document,
    recordings_prune_document,
    recordings_show_document,
    recordings_verify_document,
)
from linenotes.evals.documents._run_documents import evaluation_document
from linenotes.evals.documents._trace_documents import trace_document, trace_list_document
from linenotes.evals.engine._budget import Budget
from linenotes.evals.engine._conduct import Conduct, ConductOptions, ExecutorName
from linenotes.evals.engine._engine import Job, Stop, run_sample
from linenotes.evals.engine._recorded_runs import keys_for_replay
from linenotes.evals.engine._used_up import BudgetUsedUp
from linenotes.evals.gating import _gate_report as gate_report
from linenotes.evals.gating._baselines import find_baseline, save_baseline
from linenotes.evals.gating._bases import Base, StoredBase, VersionBase, find_base
from linenotes.evals.gating._concluding import Conclusion, conclude
from linenotes.evals.gating._decisions_in_store import log_decision, promote
from linenotes.evals.gating._gate import Decision, Gate, decide, decide_in_looks
from linenotes.evals.gating._gate_order import MOST_SAMPLES, GateOrder, GateResult
from linenotes.evals.gating._gate_run import run_gate
from linenotes.evals.importing._import_plans import ImportOrder
from linenotes.evals.importing._importing import ImportedRun, import_run
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._samples import Failure, Sample, Score
from linenotes.evals.journal._spending import Spending
from linenotes.evals.publishing._registering import id_in_store
from linenotes.evals.scorers._scorer_loading import find_scorers
from linenotes.evals.scorers._scorers import Scorer, score_sample

__all__ = [
    "DEFAULT_MARGIN",
    "DEFAULT_SAMPLES",
    "DOCUMENTS",
    "EVERY",
    "MOST_SAMPLES",
    "Arm",
    "Base",
    "Budget",
    "BudgetUsedUp",
    "By",
    "Choice",
    "Conclusion",
    "Conduct",
    "ConductOptions",
    "CostLine",
    "Decision",
    "Evaluation",
    "Execution",
    "ExecutorName",
    "Failure",
    "Finding",
    "Forecast",
    "Gate",
    "GateOrder",
    "GateResult",
    "ImportOrder",
    "ImportedRun",
    "Interrupted",
    "Job",
    "ListedPrice",
    "NotPublished",
    "RunComparison",
    "RunPlan",
    "RunRecord",
    "RunResult",
    "RunStore",
    "Sample",
    "Score",
    "Scorer",
    "Spending",
    "Stop",
    "StoppedRun",
    "StoredBase",
    "VersionBase",
    "arms",
    "asked_of_recordings",
    "checkup",
    "choose_cases",
    "compare_all",
    "compare_runs",
    "comparison_report",
    "conclude",
    "cost_lines",
    "cost_rows",
    "costs_document",
    "decide",
    "decide_in_looks",
    "differences",
    "doctor_document",
    "earlier_runs",
    "estimate_document",
    "evaluate",
    "evaluation_document",
    "execution_document",
    "find_base",
    "find_baseline",
    "find_case",
    "find_scorers",
    "find_stopped",
    "forecast",
    "forecast_report",
    "gate_document",
    "gate_report",
    "id_in_store",
    "import_run",
    "json_schema",
    "json_schema_file",
    "keys_for_replay",
    "log_decision",
    "price_list",
    "price_rows",
    "prices_document",
    "promote",
    "recordings_list_document",
    "recordings_merge_document",
    "recordings_prune_document",
    "recordings_show_document",
    "recordings_verify_document",
    "report",
    "run_gate",
    "run_once",
    "run_sample",
    "save_baseline",
    "saved",
    "saved_document",
    "score_sample",
    "single_version",
    "store_execution",
    "trace_document",
    "trace_export_document",
    "trace_list_document",
    "versions_of",
]
