"""Secrets that give themselves away: keys and tokens with the marks of those who issue them.

Most texts are let go after one look for a digit beside a letter; others are searched for a format
only if a long word in them holds one of the format's marks. No regex repeats over what another
repetition may take, so the work grows with the text and not faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Found(NamedTuple):
    """A secret in a text."""

    start: int
    end: int
    kind: str


_Match = re.Match[str]
_MIXED = re.compile(r"[0-9](?:[A-Za-z]|(?<=[A-Za-z_-].))")
"""What every random token has and most sentences lack."""
_LONG = re.compile(r"[A-Za-z0-9_.:/~+=-]{16,}")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_ESCAPE = re.compile(r"(?:\\[nrt]|\\u[0-9a-fA-F]{4}|%[0-9A-F]{2})$")
"""In a JSON text inside a text, or in an address: it ends in a letter and no word does."""


def is_mixed(text: str) -> bool:
    """Say whether `text` has both letters and digits, as random tokens do."""
    return _DIGIT.search(text) is not None and _LETTER.search(text) is not None


def secret_in(match: _Match) -> tuple[int, int]:
    """Return where the group `secret` of `match` is, or all of it where there is no such group."""
    return match.span("secret" if "secret" in match.re.groupindex else 0)


def _stands_alone(match: _Match) -> bool:
    """Say whether a match begins a word, and lies in no other, as in an encoded image."""
    before = match.string[max(0, match.start() - 6) : match.start()]
    if not before or not (before[-1].isalnum() and before[-1].isascii()):
        return True
    return _ESCAPE.search(before) is not None


def _is_token(match: _Match) -> bool:
    return _stands_alone(match) and is_mixed(match[0])


def _holds_a_key(match: _Match) -> bool:
    return _KEY_LINE.search(match["secret"]) is not None


def _follows_a_bot(match: _Match) -> bool:
    """The part of Discord's tokens before the first dot is the bot's public number."""
    before = match.string[max(0, match.start() - 28) : match.start()]
    return is_mixed(match["secret"]) and _BOT.search(before) is not None


_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{32}")
_BOT = re.compile(r"[MNO][\w-]{22,27}$")


@dataclass(frozen=True, slots=True)
class _Format:
    kind: str
    marks: tuple[str, ...]
    """One of these is in every text that holds such a secret."""
    regex: re.Pattern[str]
    check: Callable[[_Match], bool] = _is_token


def _format(
    kind: str, regex: str, *marks: str, check: Callable[[_Match], bool] = _is_token
) -> _Format:
    return _Format(kind, marks, re.compile(regex), check)


def _prefixed(kind: str, body: str, *prefixes: str) -> _Format:
    return _format(kind, f"(?:{'|'.join(map(re.escape, prefixes))}){body}", *prefixes)


_PEM_MARK = "-----"
_PEM = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----"
    r"(?P<secret>(?:[^-]++|-(?!----))*+)"
)
_ANY = r"[A-Za-z0-9_-]"
_FORMATS = (
    _format("private-key", _PEM, _PEM_MARK, check=_holds_a_key),
    _format("jwt", rf"eyJ{_ANY}{{8,1024}}+\.eyJ{_ANY}{{4,}}+\.{_ANY}*+", "eyJ"),
    _prefixed("anthropic-key", rf"{_ANY}{{16,}}+", "sk-ant-"),
    _prefixed("openai-key", rf"{_ANY}{{16,}}+", "sk-"),
    _prefixed("google-key", rf"{_ANY}{{35}}", "AIza"),
    _prefixed("google-secret", rf"{_ANY}{{20,}}+", "GOCSPX-", "ya29."),
    _prefixed("aws-key", r"[A-Z0-9]{16}", "AKIA", "ASIA"),
    _format("azure-key", r"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}", "JQQJ99"),
    _format("azure-secret", r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}", "Q~"),
    _prefixed("github-token", r"[A-Za-z0-9]{30,}+", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    _prefixed("github-token", r"[A-Za-z0-9_]{30,}+", "github_pat_"),
    _prefixed("gitlab-token", rf"{_ANY}{{18,}}+", "glpat-", "gldt-", "glrt-", "glptt-", "glcbt-"),
    _format("slack-token", rf"(?:xox[a-z]|xapp)-{_ANY}{{10,}}+", "xox", "xapp-"),
    _format(
        "slack-webhook", r"hooks\.slack\.com/services/(?P<secret>[A-Za-z0-9/]{20,}+)", "hooks."
    ),
    _format("stripe-key", r"[rs]k_(?:live|test)_[A-Za-z0-9]{10,}+", "k_live_", "k_test_"),
    _prefixed("stripe-secret", r"[A-Za-z0-9]{20,}+", "whsec_"),
    _prefixed("huggingface-token", r"[A-Za-z0-9]{30,}+", "hf_"),
    _prefixed("databricks-token", r"[0-9a-f]{32}", "dapi"),
    _prefixed("npm-token", r"[A-Za-z0-9]{36}", "npm_"),
    _prefixed("pypi-token", rf"{_ANY}{{40,}}+", "pypi-"),
    _prefixed("sendgrid-key", rf"{_ANY}{{16,32}}\.{_ANY}{{16,64}}", "SG."),
    _format("twilio-key", r"SK[0-9a-f]{32}(?![0-9A-Za-z])", "SK"),
    _format(
        "telegram-token",
        rf":(?P<secret>AA{_ANY}{{32,34}})",
        ":AA",
        check=lambda match: match.string[max(0, match.start() - 8) : match.start()].isdigit(),
    ),
    _format(
        "discord-token",
        rf"\.(?P<secret>{_ANY}{{6}}\.{_ANY}{{27,}}+)",
        ".",
        check=_follows_a_bot,
    ),
    _format(
        "discord-webhook", r"api/webhooks/\d{1,32}/(?P<secret>[A-Za-z0-9_-]{20,}+)", "/webhooks/"
    ),
    _prefixed("api-key", rf"{_ANY}{{20,}}+", "gsk_", "xai-", "pplx-", "nvapi-", "tvly-", "pcsk_"),
    _prefixed("api-key", rf"{_ANY}{{20,}}+", "lsv2_pt_", "lsv2_sk_", "dop_v1_", "glsa_", "hvs."),
    _prefixed("api-key", rf"{_ANY}{{20,}}+", "shpat_", "dckr_pat_", "figd_", "ATATT3x", "r8_"),
    _prefixed("api-key", rf"{_ANY}{{20,}}+", "sntrys_", "sq0atp-", "1//0"),
)
"""The more telling first: Anthropic's keys begin as OpenAI's do."""
_MARKS = tuple(mark for format_ in _FORMATS for mark in format_.marks)


def find_formats(text: str) -> Iterator[Found]:
    """Yield the secrets in `text` that have a format of their own."""
    if _MIXED.search(text) is None:
        return
    long = " ".join((*_LONG.findall(text), _PEM_MARK if _PEM_MARK in text else ""))
    if not any(map(long.__contains__, _MARKS)):
        return
    for format_ in _FORMATS:
        if any(mark in long for mark in format_.marks):
            for match in format_.regex.finditer(text):
                if format_.check(match):
                    yield Found(*secret_in(match), format_.kind)
