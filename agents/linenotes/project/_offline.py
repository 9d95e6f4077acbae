"""Nothing that linenotes builds on calls home.

By default MLflow and DeepEval report usage, and MLflow fetches the prices of models from the
internet while it stores a trace. A variable that the user set stays.
"""

from __future__ import annotations

import os
from typing import Final

_OFFLINE: Final = {
    "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
    "DEEPEVAL_UPDATE_WARNING_OPT_OUT": "YES",
    "DO_NOT_TRACK": "true",
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def keep_offline() -> None:
    """Set what the libraries read when they are imported; call it before that."""
    for name, value in _OFFLINE.items():
        os.environ.setdefault(name, value)
