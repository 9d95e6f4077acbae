from __future__ import annotations

from linenotes.project import canonical_json, digest


def test_equal_values_give_equal_bytes_whatever_the_order_of_their_keys() -> None:
    assert canonical_json({"b": [1, 2.5], "a": "ü"}) == '{"a":"ü","b":[1,2.5]}'.encode()
    assert digest({"a": 1, "b": {"d": 2, "c": 3}}) == digest({"b": {"c": 3, "d": 2}, "a": 1})


def test_a_digest_is_64_hex_digits_and_changes_with_the_value() -> None:
    assert len(bytes.fromhex(digest(["x"]))) == 32
    assert digest(["x", "y"]) != digest(["y", "x"])
