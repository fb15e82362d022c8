"""ETag and If-Match."""

from __future__ import annotations

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from migrations_tools.api.versions import Outdated, etag, require_match, tagged


def asking(if_match: str | None) -> Request:
    headers = {} if if_match is None else {"If-Match": if_match}
    return Request(APIRequestFactory().patch("/", headers=headers))


def test_the_tag_changes_with_what_is_seen():
    assert etag({"title": "a"}) == etag({"title": "a"})
    assert etag({"title": "a"}) != etag({"title": "b"})
    assert tagged({"title": "a"}, status=201, location="/things/1/").headers["ETag"] == etag(
        {"title": "a"}
    )


@pytest.mark.parametrize("given", [None, "*", etag({"title": "a"}), f'"x", {etag({"title": "a"})}'])
def test_what_was_read_may_be_changed(given):
    require_match(asking(given), {"title": "a"})


@pytest.mark.parametrize("given", ['"x"', "", "nonsense", etag({"title": "b"})])
def test_what_changed_meanwhile_is_refused(given):
    with pytest.raises(Outdated) as refusal:
        require_match(asking(given), {"title": "a"})

    assert (refusal.value.http_status, refusal.value.code) == (412, "precondition_failed")
