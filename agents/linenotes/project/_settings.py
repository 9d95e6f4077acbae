"""What a project says about itself: `[tool.linenotes]` in pyproject.toml.

Parsed once, at the edge, into frozen models; an unknown key is an error that names the file.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from linenotes.project._store_errors import without_credentials
from linenotes.project.redaction._redactor import MAX_CHARACTERS
from linenotes.project.redaction._secret_contexts import find_contexts
from linenotes.project.redaction._secret_formats import find_formats


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=_kebab, validate_by_name=True
    )


def _no_credentials(value: str | None, instead: str) -> str | None:
    if value is not None and without_credentials(value) != value:
        # A run's plan, its comparisons and its errors all show the address.
        raise ValueError(f"an address here holds no user and no password; use {instead}")
    return value


class ModelSettings(_Table):
    """One model as a role uses it: `[tool.linenotes.models.ROLE]`."""

    model: str = "local:smollm2-135m"
    """A model id of the endpoint, or `local:smollm2-135m`, the embedded model."""
    base_url: str | None = None
    """An OpenAI-compatible endpoint, without a password. None: the OpenAI client's own default."""
    api_key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the key. Keys never stand in a file."""
    temperature: float = Field(default=1.0, ge=0)
    """1, as providers have it: an evaluation should see the spread that users see."""
    seed: int = 0
    """The run's seed; each call derives its own from it, the case, the sample and the role."""
    max_tokens: int = Field(default=256, gt=0)
    timeout: float = Field(default=60.0, gt=0)
    """Seconds that one request may take; waiting for the endpoint's limits is not counted."""
    max_retries: int = Field(default=2, ge=0)
    """How often a request that failed is sent again. A busy endpoint is not a failure."""
    patience: float = Field(default=300.0, gt=0)
    """Seconds that an endpoint may refuse everybody, as with 429, before calls are given up."""
    max_in_flight: int | None = Field(default=None, gt=0)
    """At most so many requests to this model at a time. None: as many as its endpoint bears."""

    @field_validator("base_url")
    @classmethod
    def _holds_no_credentials(cls, value: str | None) -> str | None:
        return _no_credentials(value, "api-key-env")

    @field_validator("model", "base_url")
    @classmethod
    def _holds_no_key(cls, value: str | None) -> str | None:
        if value is not None and any(chain(find_formats(value), find_contexts(value))):
            raise ValueError("a key must not stand here; use api-key-env")
        return value


class OtlpSettings(_Table):
    """A collector that gets every trace, too: `[tool.linenotes.otlp]`."""

    endpoint: str | None = None
    """Its address, such as `http://127.0.0.1:4318`. None: traces are sent nowhere."""
    protocol: Literal["grpc", "http/protobuf"] | None = None
    """None: gRPC on its own port 4317, and HTTP elsewhere."""

    @field_validator("endpoint")
    @classmethod
    def _holds_no_credentials(cls, value: str | None) -> str | None:
        return _no_credentials(value, "OTEL_EXPORTER_OTLP_HEADERS")


class RedactionSettings(_Table):
    """What is never stored: `[tool.linenotes.redaction]`."""

    secrets: bool = True
    """Keys, tokens, passwords, and the values of environment variables that hold some."""
    personal: bool = False
    """E-mail addresses and payment card numbers."""
    patterns: dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")], str] = Field(
        default_factory=dict
    )
    """Your own: kind to regex. Its group `secret` is replaced, or all that it matches."""
    function: str | None = Field(default=None, pattern=r"^[^:]+:\w+$")
    """Your own: `module:attr` or `path.py:attr`, which takes a text and returns it redacted."""
    max_characters: int = Field(default=MAX_CHARACTERS, ge=1000)
    """Where a longer text is cut, with a mark."""

    @field_validator("patterns")
    @classmethod
    def _are_regexes(cls, value: dict[str, str]) -> dict[str, str]:
        for kind, regex in value.items():
            try:
                finds_nothing = re.compile(regex).search("") is not None
            except re.error as error:
                raise ValueError(f"{kind} = {regex!r} is no regex: {error}") from None
            if finds_nothing:
                raise ValueError(f"{kind} = {regex!r} finds the empty text")
        return value


class AgentSettings(_Table):
    """One agent: `[tool.linenotes.agents.NAME]`, or just its graph as a string."""

    graph: str
    """`module:attr` or `path.py:attr`."""
    baseline: str | None = None
    """An agent that every evaluation of this one also runs, as the thing to beat."""
    dataset: str | None = None
    """The dataset that is used when none is named."""
    split: str | None = None
    """The split of that dataset that is used when none is named."""
    scorers: tuple[str, ...] = ()
    """The scorers that are used when none is named; the first is the primary metric."""


class PriceSettings(_Table):
    """What a model costs: `[tool.linenotes.prices."MODEL"]`, US dollars per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    """Of input that the provider had in its cache. None: as any other input."""
    written: float | None = Field(default=None, ge=0)
    """Of input that the provider put into its cache. None: as any other input."""
    written_hour: float | None = Field(default=None, ge=0)
    """Of input that is to stay there for an hour. None: as `written`."""
    reasoning: float | None = Field(default=None, ge=0)
    """Of output that was thought and not said. None: as any other output."""


class BudgetSettings(_Table):
    """What a run may spend when the command does not say: `[tool.linenotes.budget]`."""

    usd: float | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, gt=0)
    calls: int | None = Field(default=None, gt=0)
    seconds: float | None = Field(default=None, gt=0)


class RecordingSettings(_Table):
    """How model and tool calls are recorded: `[tool.linenotes.recordings]`."""

    record: Literal["none", "auto", "all"] = "none"
    """What an evaluation records when nothing else is asked for."""
    folder: str = "recordings"
    """Where the files of recordings are, in the project."""
    run_tools: tuple[str, ...] = ()
    """Tools that are always run and never recorded, such as those that only calculate."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts that code may reach during a replay, such as a checkpointer's database."""


class PytestSettings(_Table):
    """How golden tests are carried out when pytest's options do not say: `[tool.linenotes.pytest]`.

    What a test declares goes before its settings.
    """

    samples: int | None = Field(default=None, gt=0)
    """Of each case. None: 3."""
    concurrency: int | None = Field(default=None, gt=0)
    """How many samples are in flight. None: 8."""
    record: Literal["none", "auto", "all"] | None = None
    """None: as `[tool.linenotes.recordings]` says."""
    replay: bool = False
    """Call nothing: what is not recorded is an error."""
    live: tuple[str, ...] = ()
    """Agents that are called for real while the others are replayed."""
    target: Literal["population", "dataset"] = "population"
    """What intervals of tests without a gate speak of."""


class Settings(_Table):
    """Everything under `[tool.linenotes]`."""

    experiment: str | None = None
    """The MLflow experiment. None: the name of the project's folder."""
    tracking_uri: str | None = None
    """The MLflow store. None: sqlite in the project's state folder."""
    prompt_folder: str = "prompts"
    agents: dict[str, AgentSettings] = Field(default_factory=dict)
    datasets: dict[str, str] = Field(default_factory=dict)
    scorers: dict[str, str] = Field(default_factory=dict)
    prompts: dict[str, str] = Field(default_factory=dict)
    """Prompt name to the version in force: a file's version, or `@alias` of the registry."""
    models: dict[str, ModelSettings] = Field(default_factory=dict)
    """Role to model; the role `default` serves every role that is not named."""
    redaction: RedactionSettings = Field(default_factory=RedactionSettings)
    prices: dict[str, PriceSettings] = Field(default_factory=dict)
    """Model to its price. A model that is not named has the one of MLflow's catalogue."""
    budget: BudgetSettings = Field(default_factory=BudgetSettings)
    otlp: OtlpSettings = Field(default_factory=OtlpSettings)
    recordings: RecordingSettings = Field(default_factory=RecordingSettings)
    pytest: PytestSettings = Field(default_factory=PytestSettings)

    @field_validator("agents", mode="before")
    @classmethod
    def _a_string_is_a_graph(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {k: {"graph": v} if isinstance(v, str) else v for k, v in value.items()}

    @field_validator("models", mode="before")
    @classmethod
    def _a_string_is_a_model(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {k: {"model": v} if isinstance(v, str) else v for k, v in value.items()}
