"""The documents name every address of the API of sessions, with every method, and no other."""

from __future__ import annotations

import re
from typing import Final

from sessions_app.api.urls import urlpatterns
from tests.docs.console import document, section, table

#: Document → the heading that lists the requests.
LISTS: Final = {
    "docs/lessons.md": "By the API",
    "docs/agent-sessions.md": "By the API",
    "docs/collaboration-sessions.md": "By the API",
    "docs/enrich-contest-sessions.md": "New sessions, by the API",
}

_PARAMETER: Final = re.compile("<[a-z]+:")


def test_every_request_is_told_and_answered():
    told = [
        request.strip("`")
        for name, heading in LISTS.items()
        for request, _ in table(section(document(name), heading))
    ]
    answered = {
        f"{method.upper()} /{_PARAMETER.sub('{', str(entry.pattern)).replace('>', '}')}"
        for entry in urlpatterns
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(entry.callback.cls, method)  # type: ignore[attr-defined]  # set by DRF
    }
    assert set(told) == answered
    assert len(told) == len(answered)
