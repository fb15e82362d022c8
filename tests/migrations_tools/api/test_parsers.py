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
