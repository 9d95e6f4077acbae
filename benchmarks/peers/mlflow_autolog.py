"""MLflow's autolog: the bare graph, traced into a sqlite store."""

from __future__ import annotations

import asyncio
from sqlite3 import connect

import mlflow
from evaluation import IN_FLIGHT, Work, build, is_right, measured, question


def run(work: Work) -> dict[str, object]:
    """Run the work, and return how many outputs were right and traces are stored."""
    mlflow.set_tracking_uri("sqlite:///autolog.db")
    mlflow.set_experiment("autolog")
    mlflow.langchain.autolog()
    graph = build()
    limit = asyncio.Semaphore(IN_FLIGHT)

    async def one(number: int) -> bool:
        async with limit:
            return is_right(await graph.ainvoke({"question": question(number)}), number)

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(
            *(one(n) for n in range(work.cases) for _ in range(work.samples))
        )

    with asyncio.Runner() as runner:
        runner.run(one(0))
        mlflow.flush_trace_async_logging()
        with measured() as figures:
            right = runner.run(all_of_them())
            mlflow.flush_trace_async_logging()
    with connect("autolog.db") as database:
        stored = database.execute("SELECT count(*) FROM trace_info WHERE status = 'OK'")
        return {**figures, "right": sum(right), "stored": stored.fetchone()[0] - 1}
