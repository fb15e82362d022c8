"""What is read of a body."""

from __future__ import annotations

from io import BytesIO

import pytest
from rest_framework.exceptions import ParseError

from migrations_tools.api.parsers import DEEPEST, JSONParser


def nested(levels: int, opening: str = "[", closing: str = "]") -> bytes:
    return (opening * levels + "1" + closing * levels).encode()


def test_a_body_is_read_as_it_is():
    assert JSONParser().parse(BytesIO(b'{"a": [1, {"b": null}], "c": "d"}')) == {
        "a": [1, {"b": None}],
        "c": "d",
    }


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_what_is_nested_without_end_is_no_body(opening, closing):
    JSONParser().parse(BytesIO(nested(DEEPEST - 1, opening, closing)))
    for levels in (DEEPEST, 900, 100_000):
        with pytest.raises(ParseError, match="nested more than 64 levels"):
            JSONParser().parse(BytesIO(nested(levels, opening, closing)))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b'{"a": NaN}', "NaN, which is no number"),
        (b"[-Infinity]", "-Infinity, which is no number"),
        (b'{"a": 1e400}', "1e400: too large"),
        (b"9" * 5_000, "a number that is too long"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "names “c” twice"),
        (b'{"a": "\xe9"}', "not in UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "not in UTF-8"),
    ],
)
def test_what_is_no_sound_json_is_refused_in_plain_words(body, words):
    with pytest.raises(ParseError) as refused:
        JSONParser().parse(BytesIO(body))
    assert words in str(refused.value)


def test_a_byte_order_mark_is_passed_over_and_a_claimed_charset_too():
    body = '{"a": "é"}'.encode("utf-8-sig")
    assert JSONParser().parse(BytesIO(body), parser_context={"encoding": "zlib"}) == {"a": "é"}
