"""Names that say that what stands beside them is a secret: keys, fields, variables.

`password`, `api_key` and `X-Auth-Token` say so; `tokens`, `max_tokens` and `eos_token` do not.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Collection, Mapping
from functools import lru_cache

_SEPARATORS = re.compile(r"[^a-z0-9]+")
_KINDS = {
    **dict.fromkeys(("password", "passwd", "passphrase", "passcode", "pwd"), "password"),
    **{f"{use}key": "key" for use in ("access", "account", "api", "auth", "encryption")},
    **{f"{use}key": "key" for use in ("private", "secret", "shared", "signing")},
    **dict.fromkeys(("passwords", "passwds", "passphrases", "passcodes"), "password"),
    **{f"{use}keys": "key" for use in ("access", "api", "private", "secret", "signing")},
    **{f"{use}tokens": "token" for use in ("access", "api", "auth", "bearer", "refresh")},
    "token": "token",
    "secrets": "secret",
    "secret": "secret",
    "authorization": "authorization",
    "cookie": "cookie",
    "cookies": "cookie",
    "credential": "credential",
    "credentials": "credential",
    "connectionstring": "connection-string",
}
_ENDINGS = tuple(_KINDS)
_NO_SECRETS = (
    *(f"{role}token" for role in ("bos", "cls", "eos", "mask", "pad", "sep", "stop", "unk")),
    *(f"{place}token" for place in ("continuation", "next", "nextpage", "page", "sync")),
)
"""Tokens of a vocabulary, and places in a listing."""
_SHORT_NAME = re.compile(
    r"(?:^|(?:db|database|user|admin|root|smtp|sql|redis|mongo|ftp|ssh|login|auth|mail|proxy)[_-]?)"
    r"pass$|(?:^|[_-])pw$"
)
"""Not `first_pass` or `compass`."""
_VARIABLES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIALS", "_PASS")
_SHORTEST = 8
_SHORTEST_WORD = 12


@lru_cache(maxsize=4096)
def kind_named(name: str) -> str | None:
    """Return the kind of secret that stands beside `name`; None where none does."""
    lowered = name.lower()
    if _SHORT_NAME.search(lowered):
        return "password"
    plain = _SEPARATORS.sub("", lowered)
    if not plain.endswith(_ENDINGS) or plain.endswith(_NO_SECRETS):
        return None
    return next(_KINDS[plain[start:]] for start in range(len(plain)) if plain[start:] in _KINDS)


def is_telling(value: str) -> bool:
    """Say whether `value` is rare enough to be the same secret wherever it turns up.

    It has 8 characters or more, and is no plain word of less than 12, such as `disabled`.
    """
    if len(value) < _SHORTEST or len(set(value)) <= 2:  # noqa: PLR2004  as in `xxxxxxxx`
        return False
    return not (value.isalpha() and value.islower() and len(value) < _SHORTEST_WORD)


@lru_cache(maxsize=1024)
def _is_secret_variable(name: str) -> bool:
    return name.upper().endswith(_VARIABLES)


def secret_variables(environment: Mapping[str, str], also: Collection[str]) -> dict[str, str]:
    """Return the telling values of the variables that hold secrets, and the variables' names."""
    names = [name for name in environment if _is_secret_variable(name) or name in also]
    values = {environment[name]: name for name in sorted(names, reverse=True)}
    return {value: name for value, name in values.items() if is_telling(value)}


def spellings(value: str) -> set[str]:
    """Return `value` as it may stand in a text: as it is, in JSON, in an address."""
    ascii_only, unicode = json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]
    return {value, ascii_only, unicode, repr(value)[1:-1], urllib.parse.quote(value, safe="")}
