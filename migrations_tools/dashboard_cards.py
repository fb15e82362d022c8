"""The engine's cards of the overview: what runs, what waits, health, verifications, imports."""

from __future__ import annotations

import datetime

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from migrations_tools.admin.addresses import admin_address
from migrations_tools.charts import Column, Part, column_chart, number
from migrations_tools.dashboard import Card, Figure, Item, dashboard_card
from migrations_tools.engine.signals import LIMITS, read_signals, strain, watched
from migrations_tools.engine.throttle import standing_orders
from migrations_tools.selectors import overview
from migrations_tools.states import Outcome, VerificationState
from migrations_tools.templatetags.carryover import age, duration, percent
from migrations_tools.tones import tone_of

VIEW_RUN = "migrations_tools.view_run"
DAYS = 14


@dashboard_card(order=10, permission=VIEW_RUN)
def at_work(user: User) -> Card:
    """Runs that may still write, with progress and the time they will take."""
    found = overview.active_runs()
    titles = overview.titles(active.run.definition for active in found)
    items = []
    for active in found:
        run = active.run
        eta = "" if active.eta is None else _("%(time)s left") % {"time": duration(active.eta)}
        items.append(
            Item(
                text=f"{titles[run.definition]} · {run.get_kind_display()}",
                url=admin_address("migrations_tools_run_change", run.pk),
                state=run.state,
                state_label=run.get_state_display(),
                note=" · ".join(filter(None, [eta, run.state_reason])),
                done=active.done,
                total=active.total,
            )
        )
    return Card(
        title=_("At work"),
        items=items,
        empty=_("No run is at work."),
        url=admin_address("migrations_tools_run_changelist"),
        link=_("All runs"),
    )


@dashboard_card(order=20, permission=VIEW_RUN)
def waits_for_a_decision(user: User) -> Card:
    """Review items, approvals, troubled runs, conflicts and quarantined keys."""
    found = overview.decisions()
    runs = "migrations_tools_run_changelist"
    figures = [
        Figure(
            sum(found.reviews.values()),
            _("to review"),
            admin_address("migrations_tools_reviewitem_changelist"),
            "warn",
        ),
        Figure(
            found.approvals,
            _("to approve"),
            admin_address(runs, state__exact="awaiting_approval"),
            "warn",
        ),
        Figure(
            found.attention,
            _("need attention"),
            admin_address(runs, state__exact="needs_attention"),
            "bad",
        ),
        Figure(
            found.conflicts,
            _("rolled back in part"),
            admin_address(runs, state__exact="partially_rolled_back"),
            "warn",
        ),
        Figure(sum(found.quarantined.values()), _("quarantined keys"), admin_address(runs), "bad"),
    ]
    titles = overview.titles([*found.reviews, *found.quarantined])
    lines = [
        Item(
            text=titles[name],
            url=admin_address("migrations_tools_reviewitem_changelist", definition=name),
            note=_("%(n)s to review") % {"n": number(n)},
        )
        for name, n in found.reviews.items()
    ] + [
        Item(
            text=titles[name],
            url=admin_address("migrations_tools_run_definition", name),
            note=_("%(n)s quarantined") % {"n": number(n)},
        )
        for name, n in found.quarantined.items()
    ]
    return Card(
        title=_("Waits for a decision"),
        figures=[figure for figure in figures if figure.value],
        items=lines,
        empty=_("Nothing waits for you."),
        tone="bad" if found.attention else "warn" if found else "good",
    )


@dashboard_card(order=30, permission=VIEW_RUN)
def health(user: User) -> Card:
    """The database's signs of strain, and whether they or an order make runs wait."""
    signals = read_signals()
    waiting = standing_orders() or strain(signals, watched(signals))
    items = [
        Item(
            text=_SIGNAL_WORDS[name],
            note=_("not watched") if signals[name] is None else _shown(name, signals[name]),
        )
        for name in LIMITS
    ]
    first = Item(
        text=waiting or _("Runs may work."),
        state="warn" if waiting else "good",
        state_label=_("waiting") if waiting else _("well"),
    )
    return Card(
        title=_("Health of the database"), items=[first, *items], tone="warn" if waiting else "good"
    )


_SIGNAL_WORDS = {
    "lock_waiters": gettext_lazy("Sessions that wait for locks"),
    "longest_transaction_seconds": gettext_lazy("Longest transaction"),
    "connections_share": gettext_lazy("Connections taken"),
    "replica_lag_seconds": gettext_lazy("Replica behind"),
    "free_disk_bytes": gettext_lazy("Free disk"),
}


def _shown(name: str, value: float | None) -> str:
    if name.endswith("_seconds"):
        return duration(value)
    if name.endswith("_share"):
        return percent(value)
    if name.endswith("_bytes"):
        return _("%(n)s GB") % {"n": number(round((value or 0) / 1e9, 1))}
    return number(value or 0)


@dashboard_card(order=40, permission=VIEW_RUN)
def verifications(user: User) -> Card:
    """The last verification of every definition's newest run, and its age."""
    found = overview.last_verifications()
    titles = overview.titles(last.run.definition for last in found)
    items = []
    for last in found:
        run = last.run
        failed = ngettext("%(n)s check failed", "%(n)s checks failed", last.failed_checks)
        bad = run.verification_state == VerificationState.FAILED and last.failed_checks
        note = [failed % {"n": last.failed_checks}] if bad else []
        items.append(
            Item(
                text=titles[run.definition],
                url=admin_address("migrations_tools_run_change", run.pk),
                state="warn" if run.verification_state == "none" else run.verification_state,
                state_label=run.get_verification_state_display(),
                note=" · ".join([*note, age(run.verified_at)] if run.verified_at else note),
            )
        )
    failed_any = any(tone_of(item.state) == "bad" for item in items)
    return Card(
        title=_("Last verifications"),
        items=items,
        empty=_("No run has been verified so far."),
        tone="bad" if failed_any else "",
    )


@dashboard_card(order=50, permission="migrations_tools.view_legacyimport")
def imports(user: User) -> Card:
    """Imports in work, and the last ones with what was rejected."""
    items = [
        Item(
            text=f"{queued.kind}: {queued.file_name}",
            state=queued.state,
            state_label=queued.get_state_display(),
            note=age(queued.created_at),
        )
        for queued in overview.queued_imports()
    ]
    for done in overview.last_imports():
        counts = _("%(read)s read, %(rejected)s rejected") % {
            "read": number(done.read),
            "rejected": number(done.rejected),
        }
        items.append(
            Item(
                text=f"{done.kind}: {done.file_name}",
                url=admin_address("migrations_tools_legacyimport_change", done.pk),
                state="warn" if done.rejected else "done",
                state_label=_("with rejected lines") if done.rejected else _("done"),
                note=f"{counts} · {age(done.created_at)}",
            )
        )
    return Card(
        title=_("Imports"),
        items=items,
        empty=_("Nothing has been imported so far."),
        url=admin_address("migrations_tools_legacyimport_changelist"),
        link=_("All imports"),
    )


@dashboard_card(order=90, permission=VIEW_RUN)
def last_days(user: User) -> Card | None:
    """What became of the keys that runs looked at, day by day."""
    counts = overview.outcomes_by_day(DAYS)
    if not any(sum(day.values()) for day in counts.values()):
        return None
    names = dict(Outcome.choices)
    columns = [
        Column(
            _day(day),
            [Part(str(names[name]), found[name], tone_of(name)) for name in overview.CHARTED],
        )
        for day, found in counts.items()
    ]
    title = _("Keys by outcome, the last %(n)s days") % {"n": DAYS}
    return Card(title=_("Runs of the last days"), chart=column_chart(title, columns), wide=True)


def _day(day: datetime.date) -> str:
    return _("today") if day == timezone.localdate() else date_format(day, "j M")
