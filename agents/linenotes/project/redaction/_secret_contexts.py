"""Secrets that their surroundings give away: addresses, headers, and names with a value.

`password=hunter2` holds one, `password: required` and `token = tokens[0]` do not: a value without
quotes must look like a secret, too.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from linenotes.project.redaction._secret_formats import Found, is_mixed
from linenotes.project.redaction._secret_names import kind_named

_Match = re.Match[str]
_LONG = 16
_SHORTEST_KEY = 8


def find_contexts(text: str) -> Iterator[Found]:
    """Yield the secrets in `text` that an address, a header or a name gives away."""
    if not any(map(text.__contains__, _SEPARATORS)):
        return
    lowered = _lowered(text)
    if any(map(lowered.__contains__, _SIGNS)):
        yield from _of_patterns(text, lowered)
        yield from _named_values(text, lowered)


def _lowered(text: str) -> str:
    lowered = text.lower()
    # Some letters have two in lower case, and places in the text would be others.
    return lowered if len(lowered) == len(text) else text.encode().lower().decode()


def _of_patterns(text: str, lowered: str) -> Iterator[Found]:
    for sign, kind, regex, check in _PATTERNS:
        if sign in lowered:
            for match in regex.finditer(text):
                if check(match):
                    yield Found(*match.span("secret"), kind)


_IN_ADDRESS = re.compile(
    r"""://[^\s/:@"'<>]{0,128}:(?P<secret>[^\s"'<>\\]{1,256})(?=@)"""  # up to the last @
)
_AS_USER = re.compile(r"://(?P<secret>[A-Za-z0-9_-]{16,256})@")
_IN_QUERY = re.compile(
    r"[?&](?:key|sig|signature|auth|code)=(?P<secret>[^\s&#\"'<>\\]{16,1024})", re.IGNORECASE
)
_COOKIE = re.compile(
    r"cookie[\"']?:\s{0,4}[\"']?(?P<secret>[^\s\"'\\=]{1,256}=[^\r\n\"'\\]{1,8192})", re.IGNORECASE
)
_BASIC = re.compile(r"basic\s{1,4}(?P<secret>[A-Za-z0-9+/]{6,512}={0,2})", re.IGNORECASE)
_BEARER = re.compile(r"bearer\s{1,4}(?P<secret>[A-Za-z0-9._~+/=-]{8,8192})", re.IGNORECASE)
_HEADER = re.compile(
    r"""authorization(?:\\?["'])?\s{0,4}[:=]\s{0,4}(?:\\?["'])?bearer\s{1,4}"""
    r"""(?P<secret>[A-Za-z0-9._~+/=-]{8,8192}+)(?P<end>["'\\\r\n]|\Z)?""",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"""(?<![\w-])(?:-u|--user|-U|--proxy-user)[ =]{0,4}(?P<quote>["'])?[^\s:"']{1,128}:"""
    r"""(?P<secret>(?(quote)[^"'\r\n]{1,1024}|[^\s"'`\\]{1,1024}))"""
)
_MYSQL = re.compile(r"(?<![\w-])-p(?P<quote>[\"'])?(?P<secret>[^\s\"':-][^\s\"':]{3,256})")


def _is_no_port(match: _Match) -> bool:
    """`http://host:8080/@user` has a port there, `redis://:12345@host` a password."""
    return re.match(r"\d{1,5}[/?#,;)]", match["secret"]) is None and not _is_blank(match["secret"])


def _is_long_and_mixed(match: _Match) -> bool:
    return len(match["secret"]) >= _LONG and is_mixed(match["secret"])


def _is_header_token(match: _Match) -> bool:
    """Tell a token, of whatever letters, from a word of a sentence about the header."""
    value = match["secret"]
    if _VARIABLE.fullmatch(value):
        return False
    return len(value) >= _LONG or match["end"] is not None or _DIGITS.search(value) is not None


def _is_login(match: _Match) -> bool:
    """`curl -u ann:hunter2` has a password there, `docker run -u 1000:1000` a group."""
    return not match["secret"].isdigit() and not _is_blank(match["secret"])


def _is_no_word(match: _Match) -> bool:
    return _NO_WORD.search(match["secret"]) is not None and not _is_blank(match["secret"])


def _is_basic(match: _Match) -> bool:
    """Basic credentials are `user:password` in base 64."""
    text = match["secret"].rstrip("=")
    try:
        return b":" in base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return False


def _is_cookie(match: _Match) -> bool:
    return not _is_blank(match["secret"])


_PATTERNS: Final = (
    ("://", "password", _IN_ADDRESS, _is_no_port),
    ("://", "token", _AS_USER, _is_long_and_mixed),
    ("=", "key", _IN_QUERY, _is_long_and_mixed),
    ("cookie", "cookie", _COOKIE, _is_cookie),
    ("basic ", "authorization", _BASIC, _is_basic),
    ("bearer ", "authorization", _BEARER, _is_long_and_mixed),
    ("bearer ", "authorization", _HEADER, _is_header_token),
    ("curl", "password", _LOGIN, _is_login),
    ("mysql", "password", _MYSQL, _is_no_word),
)
_SIGNS: Final = (
    *("://", "bearer ", "basic ", "cookie", "sig", "code", "auth", "curl"),
    *("mysql", "pass", "pw", "secret", "token", "key", "credential"),
)
_SEPARATORS: Final = (
    *(":", "=", ">", "--", "%3", " -p", "word is", "oken is", "ecret is"),
    *("asic ", "earer ", "ASIC ", "EARER "),
)
_ENDINGS: Final = (
    *(
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "pass",
        "pw",
        "secret",
        "token",
        "key",
    ),
    *("credential", "credentials", "authorization"),
)
_AFTER_NAME: Final = frozenset(":=>% \t\\\"'")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}$")
_VALUE = re.compile(
    r"""(?:\\?["'])?\s{0,4}(?::\s{0,2}str\s{0,2}=|=>|:=|[:=>]|%3[AaDd]|(?P<said>is\b:?))\s{0,4}"""
    r"""(?P<quote>\\?["'])?(?i:(?:bearer|basic|token)\s{1,4})?"""
    r"""(?P<secret>(?(quote)(?:(?!(?P=quote))(?:\\.|[^\r\n])){4,1024}|[^\s"'`,;&<>\\]{6,1024}))"""
)
_FLAG = re.compile(r"\s{1,4}(?P<quote>[\"'])?(?P<secret>[^\s\"'-][^\s\"']{5,1024})")


_REST = re.compile(r"[^\s\"'`,;&<>\\]*")
"""Of a value that is longer than what is looked at to tell whether it is secret."""


def _named_values(text: str, lowered: str) -> Iterator[Found]:
    """Yield the values of names such as `api_key`, whatever is written between the two."""
    for ending in _ENDINGS:
        at = lowered.find(ending)
        while at >= 0:
            at += len(ending)
            if text[at : at + 1] in _AFTER_NAME and (found := _named_value(text, at)):
                yield found
                at = max(at, found.end)
            at = lowered.find(ending, at)


def _named_value(text: str, at: int) -> Found | None:
    """Return the secret that the name that ends at `at` has as its value."""
    match = _VALUE.match(text, at)
    flag = None if match else _FLAG.match(text, at)
    name = _NAME.search(text[max(0, at - 64) : at]) if match or flag else None
    if name is None:
        return None
    kind = kind_named(name[0]) or ("key" if _is_variable(name[0]) else None)
    found = match or (flag if name[0].startswith("--") else None)
    if kind is None or found is None or not _looks_secret(kind, found):
        return None
    start, end = found.span("secret")
    rest = _REST.match(text, end)
    return Found(start, rest.end() if rest else end, kind)


def _is_variable(name: str) -> bool:
    return name.isupper() and name.endswith("_KEY")


_BLANK = re.compile(
    r"""(?:(?>(?:"""
    r"""\$\{(?![^}]*:[-=+])[^{}]*\}|\$\{\{[^{}]*\}\}"""  # ${KEY}, but not ${KEY:-hunter2}
    r"""|\$[A-Z_][A-Z0-9_]*|\$[A-Za-z_]*(?i:pass|password|pwd|token|secret|key)\b|\$\([^()]*\)?"""
    r"""|%\(\w+\)[sdr]|%[sdrvq]\b|%\{\w+\}|%[A-Z][A-Z0-9_]*%"""
    r"""|\{{1,3}[^{}"'\\]*\}{1,3}|<[^<>]*>)[ .:/@,_-]*)+"""
    r"""|(?:\*{3,}|…+|\.{3,}|[xX]{3,}[xX -]*+)\w{0,4}|(?i:none|null|true|false)"""
    r"""|\[[A-Za-z_ -]+\]"""
    r"""|(?i:(?:your|enter)[-_ ][\w -]*|[\w -]*(?:password|token|key|secret)[-_ ]here))"""
    r"""[\])}.,:;!?]*"""
)
_CODE = re.compile(r"[A-Za-z_][\w.]*[\[(]|https?://|(?:self|os|settings|config)\.")
_WORDS = frozenset(
    {"string", "password", "token", "secret", "required", "optional", "bearer", "basic"}
)
_VARIABLE = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
_DIGITS = re.compile(r"\d")
_NO_WORD = re.compile(r"[\d!@#$%^*+~?]")


def _is_blank(value: str) -> bool:
    """Say whether all of it is for somebody else to fill in: `${KEY}`, `<your key>`, `***`."""
    return _BLANK.fullmatch(value) is not None


def _looks_secret(kind: str, match: _Match) -> bool:
    """Tell a secret from a word about secrets and from code that reads one."""
    value = match["secret"]
    if _is_blank(value):
        return False
    if match["quote"] and (kind == "password" or not match.groupdict().get("said")):
        return value.lower() not in _WORDS
    if _CODE.match(value):
        return False
    inner = value.rstrip("!?.,:)]}")
    if kind == "password":
        return _NO_WORD.search(inner) is not None or inner.count("-") >= 2  # noqa: PLR2004  words
    return len(inner) >= _SHORTEST_KEY and is_mixed(inner)
