"""How fast recordings are replayed: three agents, without scoring, journal and publishing.

Run `python benchmarks/replay.py [--json] [--rounds N]`. The calls of the graph of `evaluation.py`
are recorded once against a model server on the loopback interface; then one process replays all
samples in turns. The table shows the medians and the extremes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import evaluation

if TYPE_CHECKING:
    from linenotes.evals import Job
    from linenotes.tracing import Library

CASES, SAMPLES = 200, 5


def jobs(policy_name: str) -> tuple[list[Job], Library]:
    """Return the samples to execute, and the recordings that they meet."""
    from linenotes.agents import AgentVersion, load_agent
    from linenotes.datasets import Case
    from linenotes.evals import Job
    from linenotes.project import Project
    from linenotes.tracing import RecordingPolicy, open_recordings

    project = Project.find()
    version = AgentVersion.resolve(load_agent(f"{evaluation.__file__}:build", project))
    record = policy_name == "record"
    policy = RecordingPolicy(record="all") if record else RecordingPolicy(replay=True)
    library = open_recordings(
        project, policy, dataset="items", agent="three", is_answer=lambda _: False
    )
    cases = [Case(id=str(n), inputs={"question": evaluation.question(n)}) for n in range(CASES)]
    keys = [(case, index) for index in range(SAMPLES) for case in cases]
    return [Job("0" * 32, version, case, index, 0, library) for case, index in keys], library


def play(policy_name: str) -> dict[str, float]:
    """Execute all samples, and return what that took."""
    from linenotes.evals import run_sample

    work, library = jobs(policy_name)
    limit = asyncio.Semaphore(evaluation.IN_FLIGHT)

    async def one(job: Job) -> bool:
        async with limit:
            sample = await run_sample(job)
        return evaluation.is_right(sample.output, int(sample.case.id))

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*map(one, work))

    with library:
        _ = work[0].version.graph
        wall, cpu = time.perf_counter(), time.process_time()
        right = asyncio.run(all_of_them())
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "samples_per_s": len(work) / wall,
        "samples_per_cpu_s": len(work) / cpu,
        "right_ratio": sum(right) / len(work),
        "replayed": library.use.replayed,
        "file_kb": library.file.path.stat().st_size / 1024,
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, evaluation.model_server(0.0) as address:
        os.environ |= {"OPENAI_BASE_URL": address, "OPENAI_API_KEY": "none"}
        os.chdir(folder)
        Path("pyproject.toml").touch()
        play("record")
        rounds = [play("replay") for _ in range(given.rounds)]
    found = {
        name: [round(v, 1) for v in (statistics.median(values), min(values), max(values))]
        for name in rounds[0]
        for values in [[one[name] for one in rounds]]
    }
    if given.json:
        print(json.dumps(found))
        return
    print(f"{CASES} x {SAMPLES}, replayed")
    for name, (median, least, greatest) in found.items():
        print(f"  {name:<18}{median:>10}   {least} to {greatest}")


if __name__ == "__main__":
    main()
