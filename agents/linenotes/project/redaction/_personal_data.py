"""Personal data that can be told from other text: e-mail addresses and payment card numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from linenotes.project.redaction._secret_formats import Found

_EMAIL = re.compile(
    r"(?<![\w.%+-])[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}(?![\w-])"
)
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]|2[2-7]|35|6[0245])\d{14}"  # Mastercard, JCB, Discover, Maestro, UnionPay
    r"|62\d{14,17}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}"  # UnionPay, American Express, Diners
)
_LUHN = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""A digit doubled, with the digits of the result added up."""


def find_personal(text: str) -> Iterator[Found]:
    """Yield the e-mail addresses and the card numbers in `text`."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Found(*match.span(), "email")
    for match in _CARD.finditer(text):
        if _is_card(re.sub(r"\D", "", match[0])):
            yield Found(*match.span(), "card")


def _is_card(digits: str) -> bool:
    """Say whether an issuer could have given out the number; the last digit checks the others."""
    if not _ISSUED.fullmatch(digits):
        return False
    values = [int(digit) for digit in reversed(digits)]
    return (sum(values[::2]) + sum(_LUHN[value] for value in values[1::2])) % 10 == 0
