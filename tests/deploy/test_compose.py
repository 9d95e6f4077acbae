"""What the files for a shared store promise, as far as reading them can tell."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
ENDS_BY_ITSELF = {"bucket"}
WITHOUT_A_SHELL = {"collector"}
"""Their image holds one program, which can ask nobody whether it is well."""
SECRET = re.compile(r"PASSWORD|SECRET|ACCESS_KEY")
REFERENCE = re.compile(r"\$\{(\w+)(:[-?]((?:[^{}$]|\$\{[^{}]*\})*))?\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return _yaml(DEPLOY / "compose.yaml")


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def test_every_image_is_pinned_to_a_version(services: dict[str, dict[str, Any]]) -> None:
    images = [service["image"] for service in services.values()]
    for dockerfile in DEPLOY.rglob("*Dockerfile"):
        images += re.findall(r"^FROM (\S+)", dockerfile.read_text(), re.MULTILINE)
    for image in images:
        assert re.search(r":v?\d+\.\d+[\w.-]*$", image), image


def test_every_package_of_the_server_is_pinned_and_mlflow_is_the_one_of_the_lock() -> None:
    text = (DEPLOY / "mlflow.Dockerfile").read_text()
    packages = re.search(r"pip install --no-cache-dir \\\n((?: .*\n)+)", text)
    assert packages is not None
    pinned = [line.strip(" \\") for line in packages[1].splitlines()]
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", package) for package in pinned), pinned
    lock = (DEPLOY.parent / "requirements/lock.txt").read_text()
    (mlflow,) = (package for package in pinned if package.startswith("mlflow=="))
    assert f"\n{mlflow} " in lock
    version = mlflow.removeprefix("mlflow==")
    assert f"linenotes/mlflow:{version}" in (DEPLOY / "compose.yaml").read_text()
    values = _yaml(DEPLOY / "kubernetes/mlflow-values.yaml")
    assert values["image"]["tag"] == version


def test_nothing_is_reached_from_another_machine(services: dict[str, dict[str, Any]]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) >= 4
    assert all(re.fullmatch(r"127\.0\.0\.1:\$\{\w+:-\d+\}:\d+", port) for port in ports), ports


def test_every_secret_comes_from_the_environment(services: dict[str, dict[str, Any]]) -> None:
    secrets = {
        name: value
        for service in services.values()
        for name, value in service.get("environment", {}).items()
        if SECRET.search(name)
    }
    assert len(secrets) >= 3
    for name, value in secrets.items():
        assert re.fullmatch(r"\$\{\w+:\?set it in \.env\}", value), name


def test_the_example_names_every_secret_and_holds_none() -> None:
    example = (DEPLOY / "example.env").read_text()
    wanted = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text()))
    given = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    assert given == dict.fromkeys(wanted, "")


def test_every_variable_is_required_or_has_a_default(compose: dict[str, Any]) -> None:
    required = set(re.findall(r"\$\{(\w+):\?", str(compose)))
    bare = re.findall(r"\$\{(\w+)\}", str(compose))
    assert set(bare) <= required
    assert REFERENCE.sub("", str(compose)).count("$") == 0


def test_each_service_says_how_it_is(services: dict[str, dict[str, Any]]) -> None:
    checked = {name for name, service in services.items() if "healthcheck" in service}
    assert checked == services.keys() - ENDS_BY_ITSELF - WITHOUT_A_SHELL


def test_what_is_kept_is_in_a_named_volume(compose: dict[str, Any]) -> None:
    mounted = [v for service in compose["services"].values() for v in service.get("volumes", [])]
    for volume in mounted:
        name = volume.split(":")[0]
        assert name in compose["volumes"] or volume.endswith(":ro"), volume
    assert {v.split(":")[0] for v in mounted} >= compose["volumes"].keys()


def test_services_wait_for_services_that_there_are(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            healthy = how["condition"] == "service_healthy"
            assert ("healthcheck" in services[name]) == healthy


def test_what_mlflow_is_told_are_variables_that_it_reads(
    services: dict[str, dict[str, Any]],
) -> None:
    mlflow = importlib.util.find_spec("mlflow")
    assert mlflow is not None
    assert mlflow.origin is not None
    files = ("cli/__init__.py", "utils/cli_args.py", "environment_variables.py")
    read = "".join((Path(mlflow.origin).parent / name).read_text() for name in files)
    told = [name for name in services["mlflow"]["environment"] if name.startswith("MLFLOW_")]
    assert [name for name in told if f'"{name}"' not in read] == []


def test_the_collector_has_each_part_that_its_pipelines_name() -> None:
    config = _yaml(DEPLOY / "collector.yaml")
    service = config["service"]
    assert service["extensions"] == list(config["extensions"])
    for pipeline in service["pipelines"].values():
        for kind, names in pipeline.items():
            assert names == list(config[kind])


def test_each_kubernetes_document_is_read_and_takes_its_secrets_from_elsewhere() -> None:
    for path in (DEPLOY / "kubernetes").glob("*.yaml"):
        text = path.read_text()
        documents = list(yaml.safe_load_all(text))
        assert documents
        assert all(isinstance(document, dict) for document in documents)
        assert not re.search(
            r"^\s*(password|secret_?key|token):\s*\S", text, re.IGNORECASE | re.MULTILINE
        )


def test_the_job_asks_for_what_the_command_line_offers() -> None:
    job = list(yaml.safe_load_all((DEPLOY / "kubernetes/rayjob.yaml").read_text()))[1]
    images = re.findall(r"^FROM \S+:(\S+?)-", _text("kubernetes/ray.Dockerfile"), re.MULTILINE)
    assert images == [job["spec"]["rayClusterSpec"]["rayVersion"]]


def _text(name: str) -> str:
    return (DEPLOY / name).read_text()


def _yaml(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded
