"""The error tree.

    LinenotesError          a person can mend it: one sentence what, where, and the cure; exit 2
    ├── ProjectError        a file of settings or of quarantined cases says what cannot be used
    ├── AgentError          an agent is not found, does not import, or does not build
    ├── PromptError         a prompt or its version is not found, or its placeholders do not fit
    ├── ModelError          a model has no key, no weights, no endpoint, or is not known
    ├── DatasetError        a golden file is not valid; lists every problem with its line
    ├── ScorerError         a scorer is not found, or cannot be used at all
    ├── StoreError          the MLflow store does not open, or belongs to another version
    │   └── StoreOutageError  it cannot be reached or written now, and may be later
    ├── RecordingError      a call has no recording to replay, or a file of recordings is broken
    ├── RunError            a run or trace is not found, or its journal cannot be used
    ├── TraceFileError      a file of conversations cannot be read; names the place in it
    └── ResultsFileError    a file of results or labels cannot be read; names the place in it

Anything else that is raised is our own mistake and keeps its traceback.
"""

from __future__ import annotations


class LinenotesError(Exception):
    """Something the user can mend. The message names what, where and the cure."""


class ProjectError(LinenotesError):
    """`pyproject.toml`, `langgraph.json` or `quarantine.yaml` holds what cannot be used."""


class AgentError(LinenotesError):
    """An agent is not found, does not import, or does not build a graph."""


class PromptError(LinenotesError):
    """A prompt or a version of it is not found, or its placeholders do not fit."""


class ModelError(LinenotesError):
    """A model has no key, no weights, no endpoint, or is not known."""


class DatasetError(LinenotesError):
    """A golden file is not valid.

    Attributes:
        problems: every problem found, each one line that starts with `file:line:`.
    """

    def __init__(self, message: str, *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class ScorerError(LinenotesError):
    """A scorer is not found, or is not a function of one sample."""


class StoreError(LinenotesError):
    """The MLflow store does not open, or belongs to another version of MLflow."""


class RecordingError(LinenotesError):
    """A call has no recording to replay, or a file of recordings cannot be read or written."""


class StoreOutageError(StoreError):
    """The MLflow store cannot be reached or written now. What is to be stored can wait."""


class RunError(LinenotesError):
    """A run or a trace is not found, or its journal cannot be read or written."""


class TraceFileError(LinenotesError):
    """A file of conversations is not one that is read. Nothing of it is imported."""


class ResultsFileError(LinenotesError):
    """A file of results or of labels is not one that is read. Nothing of it is imported."""
