from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest  # noqa: TC002  a fixture names its type

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_files_and_what_is_in_force_are_listed(project: Path, cli: Cli) -> None:
    out = cli("prompt", "list").out
    assert "tone" in out
    assert "v1, v2" in out


def test_evaluated_prompts_are_in_the_registry(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINENOTES_STATE", str(project / "state"))  # a registry of its own
    cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--samples", "1", "--prompt", "1,2")
    prompts = cli("prompt", "list", "--json").json["prompts"]
    assert isinstance(prompts, list)
    tone = next(prompt for prompt in prompts if prompt["name"] == "tone")
    assert tone["in_force"] == "v2"
    assert tone["files"] == ["v1", "v2"]
    assert len(tone["registry"]) == 2


def test_a_version_of_the_registry_can_be_run(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINENOTES_STATE", str(project / "state"))  # a registry of its own
    cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--samples", "1", "--prompt", "1,2")
    first = cli("run", "app.py:build", "hi", "--prompt", "tone=registry:1", "--json").json
    output = first["output"]
    assert isinstance(output, dict)
    assert output["draft"] == "Quietly: hi"
    missing = cli("run", "app.py:build", "hi", "--prompt", "tone=@champion")
    assert missing.code == 2
    assert "champion" in missing.err
