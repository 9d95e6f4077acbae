from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from linenotes.evals.testing import ScriptedServer
from linenotes.project import Project, RecordingError
from linenotes.tracing import (
    RecordedCall,
    merge_recordings,
    prune_recordings,
    recorded_calls,
    summarize_recordings,
    verify_recordings,
)
from linenotes.tracing.recordings._recording_file import FileHeader, RecordingFile

from .conftest import Chain, Studio
from .test_chat_models import invoked

Make = Callable[..., RecordedCall]


def _written(path: Path, *calls: RecordedCall, agent: str = "app") -> Path:
    RecordingFile(path, FileHeader(dataset="cases", agent=agent)).write(calls)
    return path


def test_a_summary_counts_cases_samples_and_calls(project: Project, make_call: Make) -> None:
    calls = [make_call(case=c, sample=s) for c in "ab" for s in range(3)]
    _written(project.root / "recordings/cases/app.jsonl.gz", *calls, make_call(model="m2"))
    (found,) = summarize_recordings(project)
    assert (found.cases, found.samples, found.calls) == (3, 7, 7)
    assert found.models == {"gpt-5": 6, "m2": 1}
    assert found.bytes == found.path.stat().st_size


def test_the_calls_of_a_sample_are_found(project: Project, make_call: Make) -> None:
    calls = [make_call(sample=s) for s in range(3)]
    _written(project.root / "recordings/cases/app.jsonl.gz", *calls)
    assert recorded_calls(project, "c0", 1) == [calls[1]]
    assert recorded_calls(project, "c0") == calls
    with pytest.raises(RecordingError, match=r"no recording of case 'c9'\. There are some of c0"):
        recorded_calls(project, "c9")


def test_files_are_merged_without_an_order(tmp_path: Path, make_call: Make) -> None:
    one = _written(tmp_path / "1.jsonl.gz", make_call(), make_call(case="c1"))
    two = _written(tmp_path / "2.jsonl.gz", make_call(), make_call(case="c2"))
    merged = merge_recordings([one, two], tmp_path / "a.jsonl.gz")
    assert (merged.calls, merged.conflicts) == (3, ())
    merge_recordings([two, one], tmp_path / "b.jsonl.gz")
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_a_contradiction_is_reported_and_nothing_is_written(
    tmp_path: Path, make_call: Make
) -> None:
    old, new = make_call(answer="no", recorded="2025"), make_call(answer="yes", recorded="2026")
    paths = [_written(tmp_path / f"{n}.jsonl.gz", call) for n, call in enumerate((new, old))]
    into = tmp_path / "into.jsonl.gz"
    assert merge_recordings(paths, into).conflicts == (new.key,)
    assert not into.exists()
    merge_recordings(paths, into, newest=True)
    assert RecordingFile.at(into).lines().all_calls() == {new.key: new}


def test_files_of_two_agents_are_not_merged(tmp_path: Path, make_call: Make) -> None:
    paths = [_written(tmp_path / f"{a}.jsonl.gz", make_call(), agent=a) for a in "ab"]
    with pytest.raises(RecordingError, match="one agent and dataset"):
        merge_recordings(paths, tmp_path / "into.jsonl.gz")


def test_pruning_takes_out_cases_that_are_gone(project: Project, make_call: Make) -> None:
    path = _written(
        project.root / "recordings/cases/app.jsonl.gz", make_call(), make_call(case="gone")
    )
    assert prune_recordings(project, lambda _: None)[0].removed == ()
    (found,) = prune_recordings(project, lambda _: {"c0"}, dry_run=True)
    assert [key.case for key in found.removed] == ["gone"]
    assert len(RecordingFile.at(path).lines().all_calls()) == 2
    prune_recordings(project, lambda _: {"c0"})
    assert [key.case for key in RecordingFile.at(path).lines().all_calls()] == ["c0"]


def test_what_the_last_run_did_not_use_is_taken_out_when_asked_for(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    from .test_sample import first, second

    studio.run(chain(first, second), {"q": "x"})
    studio.run(chain(first, second), {"q": "x"}, case="c1")
    studio.run(chain(first), {"q": "x"})
    (found,) = prune_recordings(studio.project, lambda _: {"c0", "c1"})
    assert found.removed == ()  # it may be of use to another version
    (found,) = prune_recordings(studio.project, lambda _: {"c0", "c1"}, unused=True)
    assert [(key.case, key.agent) for key in found.removed] == [("c0", "second")]
    assert found.kept == 3


def test_a_sound_file_has_no_problems(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    studio.run(chain(invoked), {})
    (found,) = verify_recordings(studio.project)
    assert (found.calls, found.problems, dict(found.stale)) == (1, (), {})


def test_secrets_broken_files_and_models_of_earlier_times_are_found(
    studio: Studio, counting: ScriptedServer, chain: Chain, make_call: Make
) -> None:
    studio.run(chain(invoked), {})
    planted = make_call(answer="sk-proj-" + "a1B2" * 12, model="old")
    calls = RecordingFile.at(studio.path).lines().all_calls().values()
    RecordingFile.at(studio.path).write([*calls, planted])
    (studio.path.parent / "broken.jsonl.gz").write_bytes(b"no")
    sound, broken = verify_recordings(studio.project)
    assert "holds what the settings redact" in sound.problems[0]
    assert sound.stale == {"old": 1}
    assert "is not a file of recordings" in broken.problems[0]
