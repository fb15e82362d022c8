"""What can be done with a run: the buttons of ``/api/v1/runs/{run}/`` (SPEC §4)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import caller, who
from migrations_tools.api.fields import (
    KeysField,
    ReasonField,
    ReasonSerializer,
    TextField,
    given,
)
from migrations_tools.api.idempotency import idempotent, idempotent_apart
from migrations_tools.api.run_serializers import RunSerializer, told_run
from migrations_tools.api.runs import ASKED, NOTHING, accepted, nothing, readable_run
from migrations_tools.definitions.registry import get_definition
from migrations_tools.models import Run
from migrations_tools.services import cutover, policies, runs
from migrations_tools.services.requests import request_rollback, request_run
from migrations_tools.services.verification import request_verification
from migrations_tools.states import RunKind


class DriftSerializer(ReasonSerializer):
    """Whether it may go on although something changed since."""

    accept_drift = ReasonField(help_text="Why the change since is no harm; empty: refuse it.")


class StartSerializer(DriftSerializer):
    """How a plan is to be run."""

    batch_size = serializers.IntegerField(min_value=1, max_value=runs.MOST_TUNED, required=False)
    workers = serializers.IntegerField(min_value=1, max_value=64, required=False)


class RetrySerializer(serializers.Serializer[Any]):
    """Quarantined keys, or those of a code; nothing named: all."""

    keys = KeysField(required=False, default=list)
    code = TextField(max_length=60, required=False, default="", allow_blank=True)


class RollbackSerializer(serializers.Serializer[Any]):
    """A rollback needs a reason, its dry run none."""

    reason = ReasonField()
    force = serializers.BooleanField(default=False, help_text="Take conflicts back too.")
    keys = KeysField(
        required=False, default=list, help_text="With `force`: of these conflicts only."
    )
    dry_run = serializers.BooleanField(default=False, help_text="Count, and keep nothing.")


class TuneSerializer(serializers.Serializer[Any]):
    """What takes effect with the next batch; one of them at least."""

    batch_size = serializers.IntegerField(min_value=1, max_value=runs.MOST_TUNED, required=False)
    target_seconds = serializers.FloatField(
        min_value=0.01, max_value=3_600, required=False, help_text="Time that a batch should take."
    )
    workers = serializers.IntegerField(min_value=1, max_value=64, required=False)


class WaiveSerializer(serializers.Serializer[Any]):
    """A key that will never be carried over, and why."""

    key = TextField(max_length=1_000, trim_whitespace=False)
    reason = TextField()


class WaivedKeySerializer(serializers.Serializer[Any]):
    """A step's key."""

    step = serializers.IntegerField()
    key = serializers.CharField()


class WaivedSerializer(serializers.Serializer[Any]):
    """What is waived now."""

    run = serializers.UUIDField()
    waived = WaivedKeySerializer(many=True)


class _Action(APIView):
    """Something that is done with a run. The service refuses who may not, and puts it on record."""

    asks: type[serializers.Serializer[Any]]

    def act(self, request: Request, reference: str) -> tuple[Run, dict[str, Any], dict[str, Any]]:
        """The run, what was given, and who acts."""
        return runs.get_run(reference), given(self.asks, request), who(request)


class StartView(_Action):
    """Run a plan for real: once at a time, and only while it fits what is there."""

    asks = StartSerializer

    @extend_schema(
        operation_id="runs_start", request=StartSerializer, responses={200: NOTHING, 202: ASKED}
    )
    @idempotent
    def post(self, request: Request, run: str) -> Response:
        planned, said, by = self.act(request, run)
        words = {name: said.pop(name) for name in ("reason", "accept_drift")}
        name = planned.definition
        found = request_run(name, RunKind.APPLY, planned=planned, tuning=said, **words, **by)
        return (
            nothing(get_definition(name), RunKind.APPLY)
            if found is None
            else accepted(request, found)
        )


class ApproveView(_Action):
    """Say yes, as the second person, to a run that waits for it."""

    asks = ReasonSerializer

    @extend_schema(operation_id="runs_approve", request=ReasonSerializer, responses={202: ASKED})
    @idempotent
    def post(self, request: Request, run: str) -> Response:
        found, said, by = self.act(request, run)
        return accepted(request, policies.approve_run(found, **said, **by))


class PauseView(_Action):
    """Pause a run; it does within one batch."""

    asks = ReasonSerializer

    @extend_schema(operation_id="runs_pause", request=ReasonSerializer, responses={202: ASKED})
    @idempotent_apart
    def post(self, request: Request, run: str) -> Response:
        found, said, by = self.act(request, run)
        return accepted(request, runs.pause_run(found, **said, **by))


class ResumeView(_Action):
    """Let a paused or stopped run go on."""

    asks = DriftSerializer

    @extend_schema(operation_id="runs_resume", request=DriftSerializer, responses={202: ASKED})
    @idempotent
    def post(self, request: Request, run: str) -> Response:
        found, said, by = self.act(request, run)
        return accepted(request, runs.resume_run(found, **said, **by))


class CancelView(_Action):
    """Stop a run for good within one batch; what it wrote stays until it is rolled back."""

    asks = ReasonSerializer

    @extend_schema(operation_id="runs_cancel", request=ReasonSerializer, responses={202: ASKED})
    @idempotent_apart
    def post(self, request: Request, run: str) -> Response:
        found, said, by = self.act(request, run)
        return accepted(request, runs.cancel_run(found, **said, **by))


class RetryView(_Action):
    """Drive quarantined keys of a completed run again: these, those of a code, or all."""

    asks = RetrySerializer

    @extend_schema(
        operation_id="runs_retry", request=RetrySerializer, responses={200: NOTHING, 202: ASKED}
    )
    @idempotent
    def post(self, request: Request, run: str) -> Response:
        found, said, by = self.act(request, run)
        again = runs.retry_run(found, **said, **by)
        if again is None:
            return nothing(get_definition(found.definition), found.kind)
        return accepted(request, again)


class VerifyView(APIView):
    """Have a run verified; ``checks`` has the results when ``verification_state`` tells so."""

    @extend_schema(operation_id="runs_verify", request=None, responses={202: ASKED})
    @idempotent
    def post(self, request: Request, run: str) -> Response:
        found = readable_run(request, run)
        return accepted(request, request_verification(found, **who(request)))


class RollbackView(_Action):
    """Take back what a run wrote; `Location` is the run that does it."""

    asks = RollbackSerializer

    @extend_schema(
        operation_id="runs_rollback",
        request=RollbackSerializer,
        responses={200: NOTHING, 202: ASKED},
        examples=[
            OpenApiExample("For real", value={"reason": "the wrong file"}, request_only=True),
            OpenApiExample("What would happen", value={"dry_run": True}, request_only=True),
        ],
    )
    @idempotent
    def post(self, request: Request, run: str) -> Response:
        found, said, by = self.act(request, run)
        rollback = request_rollback(found, **said, **by)
        if rollback is None:
            kind = RunKind.DRY_RUN if said["dry_run"] else RunKind.ROLLBACK
            return nothing(get_definition(found.definition), kind)
        return accepted(request, rollback)


class TuneView(_Action):
    """Change how a run works; workers read it again with the next batch."""

    asks = TuneSerializer

    @extend_schema(operation_id="runs_tune", request=TuneSerializer, responses=RunSerializer)
    @idempotent
    def post(self, request: Request, run: str) -> Response:
        found, said, by = self.act(request, run)
        return Response(told_run(runs.tune_run(found, said, **by), caller(request)))


class WaiveView(_Action):
    """Decide that a quarantined or conflicting key is never carried over."""

    asks = WaiveSerializer

    @extend_schema(operation_id="runs_waive", request=WaiveSerializer, responses=WaivedSerializer)
    @idempotent
    def post(self, request: Request, run: str) -> Response:
        found, said, by = self.act(request, run)
        waived = cutover.waive_key(found, said["key"], reason=said["reason"], **by)
        return Response(WaivedSerializer({"run": found.pk, "waived": waived}).data)
