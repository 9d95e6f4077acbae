from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from linenotes.project import (
    AgentSettings,
    ModelSettings,
    OtlpSettings,
    Project,
    ProjectError,
    Settings,
)

KEY = "secret1A" * 5


def _find(folder: Path, toml: str) -> Settings:
    (folder / "pyproject.toml").write_text(toml, encoding="utf-8")
    return Project.find(folder).settings


def test_a_project_without_settings_has_the_defaults(tmp_path: Path) -> None:
    assert _find(tmp_path, "[project]\nname = 'x'\n") == Settings()
    assert ModelSettings().model == "local:smollm2-135m"


def test_every_table_is_read_with_the_spelling_of_toml(tmp_path: Path) -> None:
    settings = _find(
        tmp_path,
        """
        [tool.linenotes]
        prompt-folder = "texts"
        [tool.linenotes.agents.desk]
        graph = "desk.py:graph"
        baseline = "plain"
        scorers = ["correct", "polite"]
        [tool.linenotes.models.judge]
        model = "big"
        base-url = "http://127.0.0.1:8000/v1"
        api-key-env = "JUDGE_KEY"
        max-tokens = 9
        [tool.linenotes.otlp]
        endpoint = "http://127.0.0.1:4317"
        protocol = "grpc"
        """,
    )
    assert settings.otlp == OtlpSettings(endpoint="http://127.0.0.1:4317", protocol="grpc")
    assert settings.prompt_folder == "texts"
    assert settings.agents["desk"] == AgentSettings(
        graph="desk.py:graph", baseline="plain", scorers=("correct", "polite")
    )
    assert settings.models["judge"] == ModelSettings(
        model="big", base_url="http://127.0.0.1:8000/v1", api_key_env="JUDGE_KEY", max_tokens=9
    )


def test_a_string_stands_for_a_table_with_just_that(tmp_path: Path) -> None:
    settings = _find(
        tmp_path, "[tool.linenotes]\nagents.desk = 'desk:graph'\nmodels.judge = 'big'\n"
    )
    assert settings.agents == {"desk": AgentSettings(graph="desk:graph")}
    assert settings.models == {"judge": ModelSettings(model="big")}


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("promt-folder = 'x'", "promt-folder"),
        ("experiment = 3", "experiment"),
        ("agents = 'desk:graph'", "agents"),
        ("agents.desk = 3", "agents.desk"),
        ("agents.desk.baseline = 'plain'", "agents.desk.graph"),
        ("agents.desk = {graph = 'a:b', scorer = 'x'}", "agents.desk.scorer"),
        ("models = ['big']", "models"),
        ("models.judge.temperature = -1", "models.judge.temperature"),
        ("models.judge.max-tokens = 0", "models.judge.max-tokens"),
        ("models.judge.timeout = 'long'", "models.judge.timeout"),
        ("models.judge.api-key = 'secret'", "models.judge.api-key"),
        ("models.judge.base-url = 'http://me:secret@host/v1'", "models.judge.base-url"),
        (f"models.judge.base-url = 'http://host/v1?api_key={KEY}'", "models.judge.base-url"),
        (f"models.judge.model = 'sk-{KEY}'", "models.judge.model"),
        ("redaction.personel = true", "redaction.personel"),
        ("redaction.patterns.case = '(C-'", "redaction.patterns"),
        ("redaction.patterns.case = 'C*'", "redaction.patterns"),
        ("redaction.patterns.'a case' = 'C'", "redaction.patterns.a case.[key]"),
        ("redaction.function = 'hide'", "redaction.function"),
        ("redaction.max-characters = 10", "redaction.max-characters"),
    ],
)
def test_a_setting_that_cannot_be_used_is_an_error_that_names_file_and_key(
    tmp_path: Path, line: str, key: str
) -> None:
    with pytest.raises(ProjectError) as caught:
        _find(tmp_path, f"[tool.linenotes]\n{line}\n")
    message = str(caught.value)
    assert f"{tmp_path / 'pyproject.toml'}: [tool.linenotes] {key}: " in message
    assert message.endswith(".")
    assert "secret" not in message


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValidationError):
        Settings().experiment = "other"
