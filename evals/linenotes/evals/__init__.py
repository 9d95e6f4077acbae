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
from linenotes.evals._recorded_ahead import RecordedAhead, recorded_ahead
from linenotes.evals._results import RunResult
from linenotes.evals._savings import saved
from linenotes.evals._storing import NotPublished
from linenotes.evals._used_up import BudgetUsedUp
from linenotes.evals.comparing import _comparison_report as comparison_report
from linenotes.evals.comparing._candidate_reports import CandidateReport
from linenotes.evals.comparing._comparison import (
    DEFAULT_MARGIN,
    RunComparison,
    compare_all,
    compare_runs,
)
from linenotes.evals.comparing._comparison_log import log_comparison
from linenotes.evals.comparing._comparison_markdown import comparison_markdown
from linenotes.evals.comparing._comparison_page import comparison_page
from linenotes.evals.comparing._comparison_text import comparison_lines
from linenotes.evals.comparing._differences import differences
from linenotes.evals.comparing._reports import ComparisonReport
from linenotes.evals.comparing._run_names import read_runs
from linenotes.evals.documents._action_documents import (
    doctor_document,
    execution_document,
    trace_export_document,
)
from linenotes.evals.documents._comparison_documents import comparison_document
from linenotes.evals.documents._cost_documents import costs_document, prices_document
from linenotes.evals.documents._estimate_documents import estimate_document
from linenotes.evals.documents._failure_documents import failures_document
from linenotes.evals.documents._gate_document import gate_document, saved_document
from linenotes.evals.documents._history_documents import (
    flaky_document,
    quarantine_document,
    self_check_document,
)
from linenotes.evals.documents._printed import DOCUMENTS, json_schema, json_schema_file
from linenotes.evals.documents._recordings_documents import (
    recordings_list_document,
    recordings_merge_document,
    recordings_prune_document,
    recordings_show_document,
    recordings_verify_document,
)
from linenotes.evals.documents._run_documents import evaluation_document
from linenotes.evals.documents._scorer_documents import scorers_document
from linenotes.evals.documents._sizing_documents import sizing_document
from linenotes.evals.documents._trace_documents import trace_document, trace_list_document
from linenotes.evals.engine._budget import Budget
from linenotes.evals.engine._conduct import Conduct, ConductOptions, ExecutorName
from linenotes.evals.engine._engine import Job, run_sample
from linenotes.evals.engine._recorded_runs import keys_for_replay
from linenotes.evals.engine._stop import Stop
from linenotes.evals.failing import _case_text as failing_case_text
from linenotes.evals.failing import _failures_text as failures_text
from linenotes.evals.failing._case_results import fails
from linenotes.evals.failing._run_failures import WORST_CASES, RunFailures, run_failures
from linenotes.evals.gating import _gate_report as gate_report
from linenotes.evals.gating._baselines import (
    check_baseline_place,
    find_baseline,
    save_baseline,
)
from linenotes.evals.gating._bases import (
    Base,
    StoredBase,
    VersionBase,
    find_base,
    find_stored_base,
)
from linenotes.evals.gating._concluding import Conclusion, conclude
from linenotes.evals.gating._decisions_in_store import log_decision, promote
from linenotes.evals.gating._gate import Decision, Gate, decide, decide_in_looks
from linenotes.evals.gating._gate_order import MOST_SAMPLES, GateOrder
from linenotes.evals.gating._gate_result import GateResult
from linenotes.evals.gating._gate_run import run_gate
from linenotes.evals.gating._kept_gates import stopped_by_a_gate
from linenotes.evals.gating._run_gate import decide_run, stored_result
from linenotes.evals.gating._run_order import RunOrder
from linenotes.evals.history import _flaky_report as flaky_text
from linenotes.evals.history import _self_check_report as self_check_report
from linenotes.evals.history._flaky import FlakyCase, FlakyReport, flaky_report
from linenotes.evals.history._quarantine import Quarantine, QuarantinedCase, quarantine, quarantined
from linenotes.evals.history._run_self_check import RunSelfCheck, check_gate
from linenotes.evals.history._version_history import (
    VersionHistory,
    newest_plan,
    one_run,
    version_history,
)
from linenotes.evals.importing._import_plans import ImportOrder
from linenotes.evals.importing._importing import ImportedRun, import_run
from linenotes.evals.importing._result_imports import ResultsOrder, import_results
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._samples import Failure, Sample, Score
from linenotes.evals.journal._spending import Spending
from linenotes.evals.judging import _calibration_report as calibration_report
from linenotes.evals.judging import _repeat_report as repeat_report
from linenotes.evals.judging._calibrating import Calibration, Drawn, calibrate
from linenotes.evals.judging._calibrations import (
    JudgedMetric,
    calibration_of,
    judged_metrics,
    save_calibration,
)
from linenotes.evals.judging._repeating import Repeated, repeat_judging
from linenotes.evals.publishing._registering import id_in_store
from linenotes.evals.scorers._listing import ListedScorer, list_scorers
from linenotes.evals.scorers._scorer_loading import find_scorers
from linenotes.evals.scorers._scorers import Scorer, score_sample
from linenotes.evals.sizing import _sizing_report as sizing_report
from linenotes.evals.sizing._sizing import size_suite
from linenotes.evals.sizing._suite_sizes import SuiteSize, Wish
from linenotes.evals.starter._starter import CiService, StarterFile, starter_files, write_starter
from linenotes.evals.suite._golden import golden

__all__ = [
    "DEFAULT_MARGIN",
    "DEFAULT_SAMPLES",
    "DOCUMENTS",
    "EVERY",
    "MOST_SAMPLES",
    "WORST_CASES",
    "Arm",
    "Base",
    "Budget",
    "BudgetUsedUp",
    "By",
    "Calibration",
    "CandidateReport",
    "Choice",
    "CiService",
    "ComparisonReport",
    "Conclusion",
    "Conduct",
    "ConductOptions",
    "CostLine",
    "Decision",
    "Drawn",
    "Evaluation",
    "Execution",
    "ExecutorName",
    "Failure",
    "Finding",
    "FlakyCase",
    "FlakyReport",
    "Forecast",
    "Gate",
    "GateOrder",
    "GateResult",
    "ImportOrder",
    "ImportedRun",
    "Interrupted",
    "Job",
    "JudgedMetric",
    "ListedPrice",
    "ListedScorer",
    "NotPublished",
    "Quarantine",
    "QuarantinedCase",
    "RecordedAhead",
    "Repeated",
    "ResultsOrder",
    "RunComparison",
    "RunFailures",
    "RunOrder",
    "RunPlan",
    "RunRecord",
    "RunResult",
    "RunSelfCheck",
    "RunStore",
    "Sample",
    "Score",
    "Scorer",
    "Spending",
    "StarterFile",
    "Stop",
    "StoppedRun",
    "StoredBase",
    "SuiteSize",
    "VersionBase",
    "VersionHistory",
    "Wish",
    "arms",
    "asked_of_recordings",
    "calibrate",
    "calibration_of",
    "calibration_report",
    "check_baseline_place",
    "check_gate",
    "checkup",
    "choose_cases",
    "compare_all",
    "compare_runs",
    "comparison_document",
    "comparison_lines",
    "comparison_markdown",
    "comparison_page",
    "comparison_report",
    "conclude",
    "cost_lines",
    "cost_rows",
    "costs_document",
    "decide",
    "decide_in_looks",
    "decide_run",
    "differences",
    "doctor_document",
    "earlier_runs",
    "estimate_document",
    "evaluate",
    "evaluation_document",
    "execution_document",
    "failing_case_text",
    "fails",
    "failures_document",
    "failures_text",
    "find_base",
    "find_baseline",
    "find_case",
    "find_scorers",
    "find_stopped",
    "find_stored_base",
    "flaky_document",
    "flaky_report",
    "flaky_text",
    "forecast",
    "forecast_report",
    "gate_document",
    "gate_report",
    "golden",
    "id_in_store",
    "import_results",
    "import_run",
    "json_schema",
    "json_schema_file",
    "judged_metrics",
    "keys_for_replay",
    "list_scorers",
    "log_comparison",
    "log_decision",
    "newest_plan",
    "one_run",
    "price_list",
    "price_rows",
    "prices_document",
    "promote",
    "quarantine",
    "quarantine_document",
    "quarantined",
    "read_runs",
    "recorded_ahead",
    "recordings_list_document",
    "recordings_merge_document",
    "recordings_prune_document",
    "recordings_show_document",
    "recordings_verify_document",
    "repeat_judging",
    "repeat_report",
    "report",
    "run_failures",
    "run_gate",
    "run_once",
    "run_sample",
    "save_baseline",
    "save_calibration",
    "saved",
    "saved_document",
    "score_sample",
    "scorers_document",
    "self_check_document",
    "self_check_report",
    "single_version",
    "size_suite",
    "sizing_document",
    "sizing_report",
    "starter_files",
    "stopped_by_a_gate",
    "store_execution",
    "stored_result",
    "trace_document",
    "trace_export_document",
    "trace_list_document",
    "version_history",
    "versions_of",
    "write_starter",
]
