"""The scorer for everybody who names none: does the output hold what is expected?"""

from __future__ import annotations

from linenotes.evals.journal._samples import Sample


def matches_expectations(sample: Sample) -> bool:
    """Passes where the output holds every expectation under its own name.

    Raises:
        KeyError: the output has no such key.
        TypeError: the output has no keys at all.
        ValueError: the case expects nothing.
    """
    if not sample.expectations:
        raise ValueError("the case has no expectations to match; name another scorer")
    if not isinstance(sample.output, dict):
        raise TypeError(f"the output is {type(sample.output).__name__}, not an object with keys")
    return all(sample.output[key] == value for key, value in sample.expectations.items())
