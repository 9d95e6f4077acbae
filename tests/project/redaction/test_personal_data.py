from __future__ import annotations

import pytest

from linenotes.project import Redactor


@pytest.mark.parametrize(
    "number",
    ["4111 1111 1111 1111", "4111111111111111", "5500-0000-0000-0004", "340000000000009"],
)
def test_the_number_of_a_card_is_personal(number: str) -> None:
    redacted = Redactor(personal=True).text(f"pay with {number}, please")
    assert redacted.startswith("pay with [personal:card:")
    assert redacted.endswith("], please")


@pytest.mark.parametrize(
    "number",
    [
        "4111 1111 1111 1112",  # its last digit is wrong
        "1234567890123452",  # no issuer begins like that
        "411111111111111104111111111111111",
        "0.4111111111111111",
        "a-4111111111111111",
        "1790000000000000000",
    ],
)
def test_other_long_numbers_stay(number: str) -> None:
    assert Redactor(personal=True).text(f"It is {number}.") == f"It is {number}."


@pytest.mark.parametrize("address", ["ann@example.org", "a.b+c_d%e@mail.example.co.uk"])
def test_an_e_mail_address_is_personal(address: str) -> None:
    redacted = Redactor(personal=True).text(f"Write to <{address}>.")
    assert redacted.startswith("Write to <[personal:email:")
    assert redacted.endswith("]>.")


@pytest.mark.parametrize("text", ["a @ b", "@decorator.of_a.class", "user@localhost", "5@7"])
def test_other_at_signs_stay(text: str) -> None:
    assert Redactor(personal=True).text(text) == text
