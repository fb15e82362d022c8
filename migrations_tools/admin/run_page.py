"""What the pages of one run show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db.models import Count, F, Q, Value
from django.db.models.functions import Floor, Least
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from migrations_tools import charts
from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.signals import read_signals, strain
from migrations_tools.exceptions import UnknownDefinition
from migrations_tools.models import Check, LedgerEntry, Run, Transition
from migrations_tools.selectors.progress import batch_rates, progress_of
from migrations_tools.selectors.summary import counted_steps, counts_of, seconds_of
from migrations_tools.services.policies import policies_of
from migrations_tools.states import (
    ACTIVE_STATES,
    WRITING_KINDS,
    Outcome,
    RunKind,
    RunState,
    VerificationState,
    state_sentence,
)
from migrations_tools.words import setting_words

#: States in which nothing happens by itself any more: the live part rests.
SETTLED: Final = frozenset(
    {
        RunState.COMPLETED,
        RunState.CANCELLED,
        RunState.ROLLED_BACK,
        RunState.PARTIALLY_ROLLED_BACK,
    }
)

#: What the signals are called on the page.
SIGNAL_NAMES: Final = {
    "lock_waiters": lazy("Sessions that wait for locks"),
    "longest_transaction_seconds": lazy("Seconds of the longest transaction"),
    "connections_share": lazy("Connections taken"),
    "replica_lag_seconds": lazy("Seconds that a replica is behind"),
    "free_disk_bytes": lazy("Disk free"),
}


def _share(ratio: float) -> str:
    return _("%(n)s%%") % {"n": charts.number(round(100 * ratio))}


#: How their numbers are written, where not as a number.
_SIGNAL_SHOWN: Final[Mapping[str, Callable[[float], str]]] = {
    "connections_share": _share,
    "free_disk_bytes": filesizeformat,
}

#: Parts of a run's page: name of the address, words, the right to see it.
TABS: Final[tuple[tuple[str, str | Promise, str], ...]] = (
    ("change", lazy("Overview"), "view_run"),
    ("problems", lazy("Problems"), "view_ledgerentry"),
    ("changes", lazy("Changes"), "view_rowchange"),
    ("verification", lazy("Verification"), "view_check"),
    ("transitions", lazy("History"), "view_transition"),
)


def run_address(run: Run | str, page: str = "change") -> str:
    """Where a page of the run is."""
    pk = run.pk if isinstance(run, Run) else run
    return reverse(f"admin:migrations_tools_run_{page}", args=[pk])


def title_of(run: Run) -> str:
    """The run in words: “Apply: Carry orders”."""
    try:
        name = get_definition(run.definition).title()
    except UnknownDefinition:
        name = run.definition
    return f"{run.get_kind_display().capitalize()}: {name}"


def live_part(run: Run) -> dict[str, Any]:
    """What the refreshed part of the page shows."""
    counts = counts_of(run)
    progress = progress_of(run)
    seconds = seconds_of(run)
    return {
        "run": run,
        "sentence": state_sentence(run.kind, run.state),
        "counts": counts,
        "progress": progress,
        "seconds": seconds,
        "rates": batch_rates(run),
        "settled": run.state in SETTLED and run.verification_state != VerificationState.WAITING,
        "forecast_only": run.kind == RunKind.PLAN and bool(run.report),
        "throttled": run.state == RunState.THROTTLED,
    }


def overview(run: Run) -> dict[str, Any]:
    """What does not change while somebody looks, or may be as old as the page."""
    plan = run if run.kind in {RunKind.PLAN, RunKind.DRY_RUN} else run.plan
    report: Mapping[str, Any] = {} if plan is None else plan.report
    return {
        "report": report,
        "risks": report.get("risks", []),
        "recommendations": report.get("recommendations", []),
        "samples": [_sample(found) for found in report.get("samples", [])],
        "disk": report.get("disk") or {},
        "explain": report.get("explain", []),
        "forecast": _forecast_and_reality(run),
        "estimate": report.get("estimate") or {},
        "confidence": _confidence(run),
        "policies": policies_of(run.definition),
        "options": sorted(run.options.items()),
        "tuning": [(setting_words(name), value) for name, value in sorted(run.tuning.items())],
        "family": _family(run),
        "checked": Check.objects.filter(run=run).exists(),
        "facts": _facts(run),
        "signals": _signals() if run.state in ACTIVE_STATES else [],
    }


def _signals() -> list[dict[str, Any]]:
    """The database's signs of strain, and which of them lets runs wait."""
    found = read_signals()
    return [
        {
            "name": SIGNAL_NAMES.get(name, name),
            "value": value,
            "shown": "" if value is None else _SIGNAL_SHOWN.get(name, charts.number)(value),
            "strained": value is not None and bool(strain({name: value}, [name])),
        }
        for name, value in found.items()
    ]


def _facts(run: Run) -> list[tuple[str, Any]]:
    facts: list[tuple[str, Any]] = [
        (_("Asked for by"), run.actor.get_username()),
        (_("Asked for at"), run.created_at),
        (_("Began"), run.started_at),
        (_("Ended"), run.finished_at),
        (_("Version of the migration"), run.version),
    ]
    if run.reason:
        facts.append((_("Reason"), run.reason))
    return facts


def _family(run: Run) -> list[tuple[str, Run]]:
    """Runs that belong to this one."""
    found: list[tuple[str, Run]] = []
    if run.plan is not None:
        found.append((_("its plan"), run.plan))
    if run.parent is not None:
        found.append((_("takes back"), run.parent))
    if run.reviewed is not None:
        found.append((_("carries out decisions of"), run.reviewed))
    found += [(_("taken back by"), child) for child in run.children.order_by("created_at")[:20]]
    found += [(_("decided by"), child) for child in run.decision_runs.order_by("created_at")[:20]]
    if run.kind == RunKind.PLAN:
        started = Run.objects.filter(plan=run).order_by("created_at")
        found += [(_("run as"), child) for child in started[:20]]
    return found


def _forecast_and_reality(run: Run) -> list[dict[str, Any]]:
    """What the plan foresaw beside what came, for runs that have a plan."""
    if run.plan is None or run.kind not in WRITING_KINDS or not run.plan.report:
        return []
    foreseen, came = run.plan.report.get("outcomes", {}), counts_of(run)["outcomes"]
    rows = [
        {"name": Outcome(name).label, "foreseen": foreseen.get(name, 0), "came": came[name]}
        for name in came
        if foreseen.get(name) or came[name]
    ]
    return [{**row, "differs": row["foreseen"] != row["came"]} for row in rows]


def _confidence(run: Run) -> list[tuple[str, int]]:
    """Keys by tenth of confidence, without gaps; empty where no key has any."""
    told = run.report.get("confidence")
    if told is None:
        entries = LedgerEntry.objects.filter(run=run, confidence__isnull=False)
        counted = counted_steps(run)
        if counted is not None:
            entries = entries.filter(step__in=counted)
        groups = (
            entries.order_by()
            .annotate(tenth=Least(Floor(F("confidence") * 10.0), Value(9.0)))
            .values("tenth")
            .annotate(keys=Count("pk"))
        )
        told = [{"from": group["tenth"] / 10, "keys": group["keys"]} for group in groups]
    keys = {round(found["from"] * 10): found["keys"] for found in told}
    return [(f"{tenth / 10:.1f}", keys.get(tenth, 0)) for tenth in range(10)] if keys else []


def _sample(sample: Mapping[str, Any]) -> dict[str, Any]:
    """A key with its changes, column by column."""
    return {
        "key": sample.get("key"),
        "changes": [
            {
                "model": change.get("model"),
                "fields": differences(change.get("before"), change.get("after")),
            }
            for change in sample.get("changes", [])
        ],
    }


def differences(before: Any, after: Any) -> list[dict[str, Any]]:
    """Column by column: before, after, and whether they differ."""
    old, new = _columns(before), _columns(after)
    return [
        {
            "name": name,
            "before": old.get(name),
            "after": new.get(name),
            "differs": old.get(name) != new.get(name),
            "was_there": name in old,
            "is_there": name in new,
        }
        for name in sorted({*old, *new})
    ]


def _columns(image: Any) -> Mapping[str, Any]:
    """The image of a row, which plans keep as JSON text."""
    found = json.loads(image) if isinstance(image, str) else image
    return found if isinstance(found, Mapping) else {}


def checks_of(run: Run) -> tuple[list[Check], list[Transition]]:
    """Results of the newest verification, the failed ones first, and the verifications before."""
    newest = Check.objects.filter(run=run).order_by("-id").first()
    if newest is None:
        return [], []
    checks = Check.objects.filter(Q(run=run) | Q(run=None), verification=newest.verification)
    results = checks.order_by("ok", "id")
    former = Transition.objects.filter(run=run, action="verify").select_related("actor")
    return list(results), list(former.order_by("-id")[:20])
