from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from linenotes.datasets import Case
from linenotes.evals import Failure, RunPlan, Sample, Score
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._records import FILE_NAME, read_journal
from linenotes.project import RunError

LOST = Failure("infrastructure", "APITimeoutError", "Request timed out.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / ("a" * 32)


def test_a_journal_starts_with_the_plan(folder: Path, make_plan: Callable[..., RunPlan]) -> None:
    Journal.create(folder, make_plan()).close()
    assert read_journal(folder / FILE_NAME).plan == make_plan()


def test_what_has_finished_and_was_scored_is_read_as_it_was_written(
    folder: Path, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> None:
    sample = make_sample()
    scores = (Score("correct", value=True, rationale="as expected"), Score("speed", value=0.5))
    with Journal.create(folder, make_plan()) as journal:
        journal.started("c0", 0)
        journal.finished(sample)
        journal.scored(sample, scores)
    record = read_journal(folder / FILE_NAME)
    assert record.samples == {("c0", 0): sample}
    assert record.scores == {("c0", 0): scores}
    assert not record.running


def test_an_open_journal_knows_what_reading_it_would_give(
    folder: Path, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> None:
    with Journal.create(folder, make_plan()) as journal:
        journal.started("c1", 0)
        journal.finished(make_sample())
        journal.scored(make_sample(), (Score("correct", value=1.0),))
        journal.worked(seconds=1.5)
        assert journal.record == read_journal(folder / FILE_NAME)


def test_samples_that_the_journal_does_not_know_of_are_cut_off(
    folder: Path, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> None:
    with Journal.create(folder, make_plan()) as journal:
        journal.finished(make_sample())
    samples, journal_path = folder / "samples.jsonl", folder / FILE_NAME
    known = samples.read_bytes()
    with Journal(journal_path) as journal:
        journal.finished(make_sample(Case(id="c1", inputs={"question": "c1"})))
    journal_path.write_bytes(b"".join(journal_path.read_bytes().splitlines(keepends=True)[:2]))
    with Journal(journal_path) as journal:
        assert samples.read_bytes() == known
        assert list(journal.record.samples.values()) == [make_sample()]


def test_a_journal_stays_small_however_much_was_said(
    folder: Path, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> None:
    long = replace(make_sample(), output={"answer": "word " * 10_000})
    with Journal.create(folder, make_plan()) as journal:
        before = (folder / FILE_NAME).stat().st_size
        journal.finished(long)
        assert (folder / FILE_NAME).stat().st_size - before < 1000
        assert journal.record.samples["c0", 0] == long


def test_a_number_and_a_truth_stay_apart_on_disk(
    folder: Path, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> None:
    with Journal.create(folder, make_plan()) as journal:
        journal.scored(make_sample(), (Score("a", value=True), Score("b", value=1.0)))
    first, second = read_journal(folder / FILE_NAME).scores["c0", 0]
    assert first.value is True
    assert second.value is not True


def test_a_sample_that_started_and_did_not_finish_is_running(
    folder: Path, make_plan: Callable[..., RunPlan]
) -> None:
    with Journal.create(folder, make_plan()) as journal:
        journal.started("c1", 0)
    assert read_journal(folder / FILE_NAME).running == {("c1", 0)}


def test_the_time_of_all_sessions_adds_up(folder: Path, make_plan: Callable[..., RunPlan]) -> None:
    with Journal.create(folder, make_plan()) as journal:
        journal.worked(seconds=1.5)
    with Journal(folder / FILE_NAME) as journal:
        journal.worked(seconds=2.0)
    assert read_journal(folder / FILE_NAME).wall_seconds == 3.5


def test_a_retried_sample_replaces_the_earlier_one_and_drops_its_scores(
    folder: Path, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> None:
    with Journal.create(folder, make_plan()) as journal:
        journal.finished(make_sample(error=LOST))
        journal.scored(make_sample(error=LOST), (Score("correct", value=False),))
        journal.started("c0", 0)
        journal.finished(make_sample())
    record = read_journal(folder / FILE_NAME)
    assert record.samples == {("c0", 0): make_sample()}
    assert record.scores == {}


def test_a_tail_torn_at_any_byte_is_not_there_and_is_cut_off(
    folder: Path, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> None:
    path = folder / FILE_NAME
    with Journal.create(folder, make_plan()) as journal:
        journal.finished(make_sample())
        before = path.read_bytes()
        journal.scored(make_sample(), (Score("correct", value=True),))
    whole = path.read_bytes()
    for length in range(len(before), len(whole)):
        path.write_bytes(whole[:length])
        assert read_journal(path).scores == {}
        with Journal(path) as journal:
            assert path.read_bytes() == before
            assert journal.record.samples == {("c0", 0): make_sample()}


def test_a_journal_goes_on_after_a_torn_tail(
    folder: Path, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> None:
    path = folder / FILE_NAME
    Journal.create(folder, make_plan()).close()
    with path.open("ab") as file:
        file.write(b'{"event":"finis')
    with Journal(path) as journal:
        journal.finished(make_sample())
    assert read_journal(path).samples == {("c0", 0): make_sample()}


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\x00\xff\x13garbage\n", b"[]\n", b'{"plan": {}}\n', b'"text"\n']
)
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"not a journal that this version reads"):
        read_journal(path)
    with pytest.raises(RunError, match=r"not a journal that this version reads"):
        Journal(path)


def test_a_line_of_another_kind_in_the_middle_is_refused(
    folder: Path, make_plan: Callable[..., RunPlan]
) -> None:
    path = folder / FILE_NAME
    Journal.create(folder, make_plan()).close()
    with path.open("ab") as file:
        file.write(b'{"event":"finished","case":"of another dataset","sample":0}\n')
    with pytest.raises(RunError, match=r"not a journal"):
        read_journal(path)


def test_one_process_at_a_time_writes_a_journal(
    folder: Path, make_plan: Callable[..., RunPlan]
) -> None:
    with Journal.create(folder, make_plan()):
        with pytest.raises(RunError, match=r"another process"):
            Journal(folder / FILE_NAME)
        assert read_journal(folder / FILE_NAME).plan == make_plan()
    Journal(folder / FILE_NAME).close()


def test_a_folder_that_cannot_be_made_says_the_cure(
    tmp_path: Path, make_plan: Callable[..., RunPlan]
) -> None:
    (tmp_path / "runs").write_text("a file, not a folder")
    with pytest.raises(RunError, match=r"Cannot write .* Make room or rights there"):
        Journal.create(tmp_path / "runs" / "r1", make_plan())


FILL_THE_DISK = """
import resource, signal, sys
from pathlib import Path
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._records import FILE_NAME, read_journal
from linenotes.project import RunError

path = Path(sys.argv[1])
sample = next(iter(read_journal(path).samples.values()))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + int(sys.argv[2]),) * 2)
with Journal(path) as journal:
    try:
        while True:
            journal.finished(sample)
    except RunError as error:
        print(error)
"""


@pytest.mark.parametrize("room", [0, 1, 700, 5000])
def test_a_full_disk_is_one_error_and_keeps_what_had_finished(
    folder: Path, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample], room: int
) -> None:
    path = folder / FILE_NAME
    with Journal.create(folder, make_plan()) as journal:
        journal.finished(make_sample())
    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(path), str(room)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.count("Make room or rights there") == 1
    assert path.read_bytes().endswith(b"\n")
    assert read_journal(path).samples == {("c0", 0): make_sample()}
