"""The ground that the other packages stand on: settings, state folder, errors, canonical JSON."""

from linenotes.project._errors import (
    AgentError,
    DatasetError,
    LinenotesError,
    ModelError,
    ProjectError,
    PromptError,
    RecordingError,
    ResultsFileError,
    RunError,
    ScorerError,
    StoreError,
    StoreOutageError,
    TraceFileError,
)
from linenotes.project._json import canonical_json, digest
from linenotes.project._offline import keep_offline
from linenotes.project._project import Project
from linenotes.project._settings import (
    AgentSettings,
    BudgetSettings,
    ModelSettings,
    OtlpSettings,
    PriceSettings,
    PytestSettings,
    RecordingSettings,
    RedactionSettings,
    Settings,
)
from linenotes.project._store_errors import store_errors, without_credentials
from linenotes.project._user_code import find_code, import_code
from linenotes.project.redaction._memory import RedactorWithMemory
from linenotes.project.redaction._redactor import Redactor

__all__ = [
    "AgentError",
    "AgentSettings",
    "BudgetSettings",
    "DatasetError",
    "LinenotesError",
    "ModelError",
    "ModelSettings",
    "OtlpSettings",
    "PriceSettings",
    "Project",
    "ProjectError",
    "PromptError",
    "PytestSettings",
    "RecordingError",
    "RecordingSettings",
    "RedactionSettings",
    "Redactor",
    "RedactorWithMemory",
    "ResultsFileError",
    "RunError",
    "ScorerError",
    "Settings",
    "StoreError",
    "StoreOutageError",
    "TraceFileError",
    "canonical_json",
    "digest",
    "find_code",
    "import_code",
    "keep_offline",
    "store_errors",
    "without_credentials",
]
