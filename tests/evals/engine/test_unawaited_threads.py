from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from linenotes.evals.engine._unawaited_threads import UnawaitedThreads


def test_it_returns_results_and_raises_errors() -> None:
    threads = UnawaitedThreads(2)
    assert threads.submit(pow, 2, 3).result() == 8
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 / 0).result()
    threads.shutdown()


def test_a_free_thread_is_used_again() -> None:
    threads = UnawaitedThreads(8)
    names = {threads.submit(lambda: threading.current_thread().name).result() for _ in range(20)}
    assert len(names) == 1
    threads.shutdown()


def test_no_more_run_at_a_time_than_is_allowed() -> None:
    threads = UnawaitedThreads(3)
    everyone = threading.Barrier(3)
    futures = [threads.submit(everyone.wait, 30) for _ in range(9)]
    assert sorted(future.result() for future in futures) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    threads.shutdown()


def test_what_is_cancelled_before_its_turn_does_not_run() -> None:
    threads = UnawaitedThreads(1)
    go = threading.Event()
    first = threads.submit(go.wait, 30)
    second = threads.submit(go.clear)
    assert second.cancel()
    go.set()
    assert first.result()
    threads.submit(int).result()
    assert go.is_set()
    threads.shutdown()


def test_threads_end_when_there_is_nothing_more_to_do() -> None:
    threads = UnawaitedThreads(4)
    worker = threads.submit(threading.current_thread).result()
    threads.shutdown()
    worker.join(timeout=30)
    assert not worker.is_alive()
    assert worker.daemon


def test_nothing_is_taken_after_the_end() -> None:
    threads = UnawaitedThreads(2)
    threads.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        threads.submit(int)


def program(given_up: str) -> subprocess.CompletedProcess[str]:
    """Run a program that ends while a thread is still at what nobody waits for."""
    ends = f"""
import threading, time
from pydantic import BaseModel, field_validator
from linenotes.evals.engine._unawaited_threads import UnawaitedThreads

class Slow(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def wait(cls, number):
        time.sleep(0.01)
        return number

def validate():
    for _ in range(50):
        Slow(number=1)

threads = UnawaitedThreads(1)
threads.submit({given_up})
time.sleep(0.05)
threads.shutdown()
"""
    command = [sys.executable, "-c", ends]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_program_does_not_crash_at_its_end_where_a_thread_is_inside_a_library() -> None:
    ended = program("validate")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_thread_that_never_ends_does_not_keep_a_program_from_its_end() -> None:
    ended = program("threading.Event().wait")
    assert (ended.returncode, ended.stderr) == (0, "")
