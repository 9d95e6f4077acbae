from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


@pytest.fixture
def judged(project: Path, cli: Cli) -> Path:
    rows = [f"c{c},{s},{int((c + s) % 4 > 0)}" for c in range(40) for s in range(2)]
    text = "\n".join(["case,sample,polite", *rows])
    (project / "judged.csv").write_text(text, encoding="utf-8")
    assert cli("import", "judged.csv").code == 0
    labels = [f"c{c},0,{'pass' if c % 4 > 0 and c % 9 else 'fail'}" for c in range(40)]
    (project / "labels.csv").write_text("\n".join(["case,sample,label", *labels]), "utf-8")
    return project


def test_a_calibration_is_shown_and_kept_in_the_project(judged: Path, cli: Cli) -> None:
    ended = cli("judge", "calibrate", "labels.csv", "--run", "latest")
    assert ended.code == 0, ended.err
    assert "agreement  " in ended.out
    assert "people say   judge: fail   judge: pass" in ended.out
    (kept,) = (judged / "judges").iterdir()
    assert f"Kept in judges/{kept.name}: commit it." in ended.out


def test_a_dry_run_keeps_nothing_and_json_is_one_document(judged: Path, cli: Cli) -> None:
    document = cli(
        "judge", "calibrate", "labels.csv", "--run", "latest", "--dry-run", "--json"
    ).json
    assert document["metric"] == "polite"
    assert not (judged / "judges").exists()


@pytest.mark.usefixtures("judged")
def test_a_mistake_is_exit_2(cli: Cli) -> None:
    ended = cli("judge", "calibrate", "judged.csv", "--run", "latest")
    assert ended.code == 2
    assert "there is no column 'label'" in ended.err
