"""What the buttons of a run say beforehand: what will happen, to how many keys and rows."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from migrations_tools.models import Run
from migrations_tools.selectors.progress import progress_of
from migrations_tools.selectors.summary import counts_of
from migrations_tools.services.retry import quarantined_keys
from migrations_tools.states import Outcome, RunKind


def forecast(run: Run) -> str:
    report = run.report
    outcomes = report.get("outcomes", {})
    return _(
        "%(total)s keys will be looked at. By the plan %(applied)s are carried over, %(review)s "
        "are left to a person and %(aside)s are set aside."
    ) % {
        "total": f"{report.get('total', 0):,}",
        "applied": f"{outcomes.get(Outcome.APPLIED, 0):,}",
        "review": f"{outcomes.get(Outcome.REVIEW, 0):,}",
        "aside": f"{outcomes.get(Outcome.QUARANTINED, 0) + outcomes.get(Outcome.CONFLICT, 0):,}",
    }


def forecast_of_plan(run: Run) -> str:
    return forecast(run.plan) if run.plan is not None else ""


def standing(then: str | Promise) -> Callable[[Run], str]:
    def sentence(run: Run) -> str:
        progress = progress_of(run)
        return _("%(done)s of %(total)s keys are done, and stay as they are. %(then)s") % {
            "done": f"{progress.done:,}",
            "total": f"{progress.total or 0:,}",
            "then": then,
        }

    return sentence


def retried(run: Run) -> str:
    return _("%(n)s keys are quarantined. They are driven again; the others stay as they are.") % {
        "n": f"{len(quarantined_keys(run)):,}"
    }


def verified(run: Run) -> str:
    counts = counts_of(run)
    return _("A worker compares every row that was written – of %(n)s keys – with the journal.") % {
        "n": f"{sum(counts['outcomes'].values()):,}"
    }


def taken_back(run: Run) -> str:
    counts = counts_of(run)
    rows = {
        name: sum(operations[name] for operations in counts["changes"].values())
        for name in ("insert", "update", "delete")
    }
    return _(
        "Of %(keys)s keys are taken back: %(insert)s inserted rows are deleted, %(update)s updates "
        "undone, %(delete)s deleted rows put back. What people changed since stays, and is listed "
        "as a conflict."
    ) % {
        "keys": f"{counts['outcomes'][Outcome.APPLIED]:,}",
        **{name: f"{number:,}" for name, number in rows.items()},
    }


def forced_back(run: Run) -> str:
    rollback = run.children.filter(kind=RunKind.ROLLBACK).order_by("-created_at").first()
    conflicts = 0 if rollback is None else counts_of(rollback)["outcomes"][Outcome.CONFLICT]
    return _(
        "%(n)s keys stayed because people changed them. They are taken back too: what people "
        "entered is lost, but for the file it is written to."
    ) % {"n": f"{conflicts:,}"}


def purged(run: Run) -> str:
    return _(
        "Journal and ledger of this run are deleted: %(keys)s keys. It can no longer be rolled "
        "back or verified; its record stays."
    ) % {"keys": f"{sum(counts_of(run)['outcomes'].values()):,}"}
