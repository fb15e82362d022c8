"""What is known of a run, without what its rows say of people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder

from migrations_tools.engine.clock import database_time
from migrations_tools.evidence_language import in_evidence_language
from migrations_tools.models import Check, Run, Transition
from migrations_tools.selectors.summary import summarise
from migrations_tools.states import RunKind

#: Name and version of the format of ``evidence.json``.
FORMAT: Final = "carryover-evidence"
VERSION: Final = 1

#: What of a plan's report an auditor sees; samples quote rows and stay here.
_OF_A_PLAN: Final = ("total", "examined", "sampled", "estimate", "risks", "recommendations")


@in_evidence_language
def evidence_of(run: Run) -> dict[str, Any]:
    """Plan, approvals, outcomes, verification, rollbacks and transitions of ``run``, as JSON.

    Every transition has a ``hash`` over itself and the one before, so that none can be taken out,
    put in or changed without changing the last one, ``head``.
    """
    family = [run, *run.children.order_by("created_at")]
    transitions = chained(_transitions([*([run.plan] if run.plan else []), *family]))
    evidence = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": database_time(),
        "run": _told(run),
        "plan": _plan(run.plan),
        "approvals": [each for each in transitions if each["action"] == "approve"],
        "verification": _verification(run),
        "rollbacks": [_told(child) for child in family[1:] if child.kind == RunKind.ROLLBACK],
        "transitions": transitions,
        "head": transitions[-1]["hash"] if transitions else "",
    }
    plain: dict[str, Any] = json.loads(json.dumps(evidence, cls=DjangoJSONEncoder))
    return plain


def _told(run: Run) -> dict[str, Any]:
    summary = summarise(run, problems=False)
    del summary["problems"]  # their details may quote rows
    return summary | {
        "version": run.version,
        "options": run.options,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "by": run.actor.get_username(),
        "seal": bytes(run.seal).hex() if run.seal else None,
        "fingerprint": run.fingerprint,
        "verified": run.verification_state,
        "verified_at": run.verified_at,
    }


def _plan(plan: Run | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    told = _told(plan)
    return told | {name: plan.report[name] for name in _OF_A_PLAN if name in plan.report}


def _verification(run: Run) -> dict[str, Any] | None:
    """The newest verification that the run was part of; counts, and no keys."""
    told = Transition.objects.filter(run=run, action="verify").order_by("-id").first()
    if told is None:
        return None
    checks = Check.objects.filter(verification=told.details["verification"]).order_by("id")
    names = ("code", "title", "ok", "examined", "failures", "edited_since", "seconds")
    return {
        "verification": told.details["verification"],
        "at": told.at,
        "by": told.actor.get_username(),
        "ok": told.details["ok"],
        "checks": list(checks.values(*names)),
    }


def _transitions(runs: Iterable[Run]) -> Iterator[dict[str, Any]]:
    for found in (
        Transition.objects.filter(run__in=list(runs)).select_related("actor").order_by("id")
    ):
        yield {
            "id": found.pk,
            "run": str(found.run_id),
            "at": found.at.isoformat(),
            "by": found.actor.get_username(),
            "surface": found.surface,
            "action": found.action,
            "from": found.from_state,
            "to": found.to_state,
            "reason": found.reason,
        }


def chained(transitions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The transitions, each with the SHA-256 over the hash before it and its own canonical JSON."""
    links: list[dict[str, Any]] = []
    before = ""
    for transition in transitions:
        own = {name: value for name, value in transition.items() if name != "hash"}
        text = before + json.dumps(own, sort_keys=True, ensure_ascii=True)
        before = hashlib.sha256(text.encode()).hexdigest()
        links.append(own | {"hash": before})
    return links
