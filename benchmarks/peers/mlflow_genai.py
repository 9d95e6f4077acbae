"""`mlflow.genai.evaluate`: it has no samples, so each case stands in the data several times.

Its traces are counted where a score is attached: calls of the graph may leave further ones.
"""

from __future__ import annotations

import asyncio
import os
from sqlite3 import connect
from threading import Thread

import mlflow
from evaluation import IN_FLIGHT, Work, build, is_right, measured, question
from mlflow.genai import scorer


@scorer
def right(inputs: dict[str, int], outputs: object) -> bool:
    """Score an output."""
    return is_right(outputs, inputs["number"])


def run(work: Work) -> dict[str, object]:
    """Run the work, and return how many outputs were right and traces are stored."""
    os.environ["MLFLOW_GENAI_EVAL_MAX_WORKERS"] = str(IN_FLIGHT)
    mlflow.set_tracking_uri("sqlite:///genai.db")
    mlflow.set_experiment("genai")
    mlflow.langchain.autolog()
    graph = build()
    # The model's connections belong to the event loop that they were opened in: one for all.
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()

    def predict(number: int) -> object:
        asked = graph.ainvoke({"question": question(number)})
        return asyncio.run_coroutine_threadsafe(asked, loop).result()

    def data(cases: int, samples: int) -> list[dict[str, object]]:
        return [{"inputs": {"number": n}} for n in range(cases) for _ in range(samples)]

    mlflow.genai.evaluate(data(1, 1), [right], predict)
    with measured() as figures:
        result = mlflow.genai.evaluate(data(work.cases, work.samples), [right], predict)
        mlflow.flush_trace_async_logging()
    mean = result.metrics.get("right/mean") or 0.0
    with connect("genai.db") as database:
        stored = database.execute("SELECT count(DISTINCT trace_id) FROM assessments")
        return {
            **figures,
            "right": round(mean * work.cases * work.samples),
            "stored": stored.fetchone()[0] - 1,
        }
