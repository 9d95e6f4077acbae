"""Canonical JSON: one text, and so one digest, for equal values."""

from __future__ import annotations

import hashlib

import orjson


def canonical_json(value: object) -> bytes:
    """Return `value` as JSON with sorted keys and no spaces; equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(value: object) -> str:
    """Return the sha256 of `value` as canonical JSON, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
