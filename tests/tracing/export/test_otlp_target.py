from __future__ import annotations

from pathlib import Path

import pytest

from linenotes.project import OtlpSettings, Project, ProjectError, Settings
from linenotes.tracing import OtlpTarget, otlp_target

BARE = Project(Path("/nowhere"), Settings())
SET = Project(
    Path("/nowhere"),
    Settings(otlp=OtlpSettings(endpoint="http://settings:4318", protocol="http/protobuf")),
)


def test_without_any_setting_there_is_no_collector() -> None:
    assert otlp_target(BARE) is None


def test_settings_name_a_collector() -> None:
    assert otlp_target(SET) == OtlpTarget("http://settings:4318/v1/traces", "http/protobuf")


@pytest.mark.parametrize(
    ("variables", "endpoint", "protocol"),
    [
        ({"ENDPOINT": "http://c:4318"}, "http://c:4318/v1/traces", "http/protobuf"),
        ({"ENDPOINT": "http://c:4318/"}, "http://c:4318/v1/traces", "http/protobuf"),
        ({"ENDPOINT": "http://c/otlp?k=1"}, "http://c/otlp/v1/traces?k=1", "http/protobuf"),
        ({"TRACES_ENDPOINT": "http://c:1/own"}, "http://c:1/own", "http/protobuf"),
        (
            {"ENDPOINT": "http://a:1", "TRACES_ENDPOINT": "http://b:2/t"},
            "http://b:2/t",
            "http/protobuf",
        ),
        ({"ENDPOINT": "http://c:1", "PROTOCOL": "grpc"}, "http://c:1", "grpc"),
        ({"ENDPOINT": "c:4317", "PROTOCOL": "grpc"}, "c:4317", "grpc"),
        (
            {"ENDPOINT": "http://c:1", "PROTOCOL": "grpc", "TRACES_PROTOCOL": "http/protobuf"},
            "http://c:1/v1/traces",
            "http/protobuf",
        ),
    ],
)
def test_the_environment_has_the_last_word(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], endpoint: str, protocol: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
    found = otlp_target(SET)
    assert found is not None
    assert (found.endpoint, found.protocol) == (endpoint, protocol)


def test_grpcs_own_port_means_grpc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    assert otlp_target(BARE) == OtlpTarget("http://127.0.0.1:4317", "grpc")


@pytest.mark.parametrize(
    "variable", [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")]
)
def test_opentelemetrys_switches_switch_it_off(
    monkeypatch: pytest.MonkeyPatch, variable: tuple[str, str]
) -> None:
    monkeypatch.setenv(*variable)
    assert otlp_target(SET) is None
    assert otlp_target(SET, endpoint="http://asked:1") is not None


def test_what_is_asked_for_is_over_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://environment:1/t")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    found = otlp_target(SET, endpoint="http://asked:1", protocol="grpc")
    assert found == OtlpTarget("http://asked:1", "grpc")


@pytest.mark.parametrize(
    "address", ["127.0.0.1:4318", "ftp://c", "http://", "nonsense", "http://[bad", "http://c:x"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ProjectError, match="not the address of a collector"):
        otlp_target(BARE, endpoint=address)


def test_a_protocol_that_is_not_spoken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
    with pytest.raises(ProjectError, match=r"'http/json'.*grpc or http/protobuf"):
        otlp_target(SET)


@pytest.mark.parametrize(
    ("endpoint", "shown"),
    [
        ("http://me:pass@c:4318/v1/traces?key=k", "http://c:4318/v1/traces"),
        ("me:pass@c:4317", "c:4317"),
        ("http://c:4318/v1/traces", "http://c:4318/v1/traces"),
    ],
)
def test_passwords_and_keys_are_not_shown(endpoint: str, shown: str) -> None:
    assert OtlpTarget(endpoint, "grpc").shown == shown


def test_a_password_does_not_belong_into_the_settings(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.linenotes.otlp]\nendpoint = "http://me:secret@c:4318"\n', encoding="utf-8"
    )
    with pytest.raises(ProjectError, match="OTEL_EXPORTER_OTLP_HEADERS") as raised:
        Project.find(tmp_path)
    assert "secret" not in str(raised.value)
