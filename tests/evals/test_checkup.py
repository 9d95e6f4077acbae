from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from linenotes.evals import checkup
from linenotes.project import Project

if TYPE_CHECKING:
    import pytest


def test_everything_that_is_needed_is_checked_in_order(
    make_project: Callable[..., Project],
) -> None:
    found = checkup(make_project())
    names = [finding.check for finding in found]
    assert names == ["python", "project", "disk", "ports", "store", "model"]
    assert all(finding.ok for finding in found if finding.check != "model")


def test_a_settings_file_that_is_not_valid_is_a_finding(
    make_project: Callable[..., Project], tmp_path: Path
) -> None:
    make_project()
    (tmp_path / "pyproject.toml").write_text("[tool.linenotes]\nno-such-key = 1\n")
    found = {finding.check: finding for finding in checkup()}
    assert not found["project"].ok
    assert "no-such-key" in found["project"].found


def test_a_store_that_does_not_open_is_a_finding_with_its_cure(
    make_project: Callable[..., Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINENOTES_STATE", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "mlflow.db").write_bytes(b"this is no database" * 100)
    found = {finding.check: finding for finding in checkup(make_project())}
    assert not found["store"].ok
    assert "is not a database of MLflow. Move it away" in found["store"].found
