"""``/api/v1/runs/{run}/events/``: a run as it happens, as server-sent events (SPEC §4).

Events are ``transition``, with the id of the transition, and ``progress``; ``end`` is the last one
of a run that changes no more by itself. Any stream ends after `LONGEST`, when its reader may no
longer see runs, and after one look where `MOST_AT_ONCE` are open already: a browser's
``EventSource`` comes back by itself with ``Last-Event-ID``, and is told what it missed.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import close_old_connections
from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from knox.models import AuthToken
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from migrations_tools.api.access import caller, may_read
from migrations_tools.api.renderers import EventStreamRenderer, JSONErrors
from migrations_tools.api.run_parts import TransitionSerializer
from migrations_tools.api.runs import readable_run
from migrations_tools.models import Run, Transition
from migrations_tools.selectors.progress import progress_of
from migrations_tools.states import ACTIVE_STATES, RunState

#: Seconds of a stream, so that it holds a process of the server up for no longer.
LONGEST: Final = 60
#: Streams that follow runs in one process, so that threads are left for other requests.
MOST_AT_ONCE: Final = 4
#: Seconds between two looks at the run.
LOOK_SECONDS: Final = 1.0
#: Seconds of silence after which a comment shows that the stream is alive.
HEARTBEAT_SECONDS: Final = 15.0
#: Transitions of one look.
_MOST: Final = 500
_DIGITS_OF_BIGINT: Final = 19
_places = threading.BoundedSemaphore(MOST_AT_ONCE)
#: States in which a run may still change by itself.
_GOING: Final = ACTIVE_STATES | {RunState.PLANNED, RunState.AWAITING_APPROVAL}

_TYPE: Final = "text/event-stream"
_EXAMPLE: Final = (
    "id: 812\nevent: transition\n"
    'data: {"id": 812, "action": "start", "from_state": "queued", "to_state": "running", …}\n\n'
    'event: progress\ndata: {"state": "running", "done": 500, "total": 2000, "share": 0.25, '
    '"rate": 410.5, "eta": 3.7}\n\n'
)


class EventSerializer(serializers.Serializer[Any]):
    """An event: `transition`, `progress` or `end`; the data is JSON."""

    event = serializers.CharField(required=False)
    data = serializers.CharField(required=False)  # type: ignore[assignment]  # as it is called
    id = serializers.CharField(required=False, help_text="Of a transition.")
    retry = serializers.IntegerField(required=False, help_text="Milliseconds.")


class _QuerySerializer(serializers.Serializer[Any]):
    seconds = serializers.IntegerField(min_value=1, max_value=LONGEST, default=LONGEST)


class EventView(JSONErrors):
    """What happens with a run until it ends, or for at most a minute."""

    renderer_classes = (EventStreamRenderer, JSONRenderer)

    @extend_schema(
        operation_id="runs_events",
        parameters=[
            OpenApiParameter(
                "seconds",
                {"type": "integer", "minimum": 1, "maximum": LONGEST, "default": LONGEST},
                description="The stream ends after so many.",
            ),
            OpenApiParameter(
                "Last-Event-ID",
                str,
                OpenApiParameter.HEADER,
                description="The last transition that is known; those after it are told.",
            ),
        ],
        responses={
            (200, _TYPE): OpenApiResponse(
                EventSerializer,
                description="Events `transition` and `progress`, and comments between them.",
                examples=[OpenApiExample("A run at work", value=_EXAMPLE)],
            )
        },
    )
    def get(self, request: Request, run: str) -> StreamingHttpResponse:
        found = readable_run(request, run)
        given = {name: value for name, value in request.query_params.items() if name == "seconds"}
        asked = _QuerySerializer(data=given)
        asked.is_valid(raise_exception=True)
        known = request.headers.get("Last-Event-ID", "")
        is_id = known.isascii() and known.isdigit() and len(known) < _DIGITS_OF_BIGINT
        after = int(known) if is_id else 0
        stream = _stream(found, after, asked.validated_data["seconds"], lambda: _may_go_on(request))
        response = StreamingHttpResponse(stream, content_type=f"{_TYPE}; charset=utf-8")
        response["Cache-Control"] = "no-store"
        response["X-Accel-Buffering"] = "no"  # a proxy that waits for more tells nothing
        return response


def _stream(run: Run, after: int, seconds: int, may_go_on: Callable[[], bool]) -> Iterator[str]:
    """The stream, which follows the run if there is a place for it."""
    has_place = _places.acquire(blocking=False)
    try:
        yield from _lines(run, after, seconds if has_place else 0, may_go_on)
    finally:
        if has_place:
            _places.release()


def _may_go_on(request: Request) -> bool:
    """Whether the caller is still somebody who sees runs, by a token that is still good."""
    reader = User.objects.filter(pk=caller(request).pk, is_active=True).first()
    token = request.auth
    if isinstance(token, AuthToken) and not AuthToken.objects.filter(pk=token.pk).exists():
        return False
    return reader is not None and may_read(reader, "runs")


def _lines(run: Run, after: int, seconds: int, may_go_on: Callable[[], bool]) -> Iterator[str]:
    """Events and comments; every look is a few short queries, and holds no transaction."""
    until = time.monotonic() + seconds
    told, spoke = "", time.monotonic()
    yield "retry: 2000\n\n"
    while True:
        run.refresh_from_db()
        transitions = _transitions(run, after)
        for transition in transitions:
            after = transition.pk
            spoke = time.monotonic()
            yield _event("transition", TransitionSerializer(transition).data, after)
        progress = json.dumps(_progress(run))
        if progress != told:
            told, spoke = progress, time.monotonic()
            yield f"event: progress\ndata: {progress}\n\n"
        if len(transitions) == _MOST:
            continue
        if run.state not in _GOING:
            yield _event("end", {"state": run.state})
            return
        if time.monotonic() >= until:
            return
        if time.monotonic() - spoke >= HEARTBEAT_SECONDS:
            spoke = time.monotonic()
            yield ": still here\n\n"
        close_old_connections()
        time.sleep(LOOK_SECONDS)
        if not may_go_on():
            return


def _transitions(run: Run, after: int) -> list[Transition]:
    later = Transition.objects.filter(run=run, pk__gt=after).select_related("actor")
    return list(later.order_by("pk")[:_MOST])


def _progress(run: Run) -> dict[str, Any]:
    progress = progress_of(run)
    return {
        "state": run.state,
        "done": progress.done,
        "total": progress.total,
        "share": progress.share,
        "rate": None if progress.rate is None else round(progress.rate, 1),
        "eta": None if progress.eta is None else round(progress.eta, 1),
    }


def _event(name: str, data: Any, number: int | None = None) -> str:
    """JSON has no line breaks, so that one line of data holds it."""
    head = "" if number is None else f"id: {number}\n"
    return f"{head}event: {name}\ndata: {JSONRenderer().render(data).decode()}\n\n"
