"""What a stage of a cutover needs, and which of it holds (SPEC §2.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from migrations_tools.cutover.keys import CutoverKey
from migrations_tools.cutover.stages import Stage, share_of_new
from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.clock import database_time
from migrations_tools.models import Run
from migrations_tools.models.cutover import Cutover, Mismatch
from migrations_tools.selectors.completion import newest_completed, waiting_keys
from migrations_tools.selectors.cutover import unclean_keys
from migrations_tools.states import VerificationState

#: A verification may be this old when the new side takes the lead.
FRESH: Final = timedelta(hours=24)
#: Names of what only the new system has, listed in a refusal.
MOST_LISTED: Final = 20


@dataclass(frozen=True)
class Need:
    """``title`` says what is needed; ``refusal`` why it does not hold, empty where it does."""

    code: str
    title: str | Promise
    refusal: str
    fields: dict[str, Any]

    @property
    def holds(self) -> bool:
        return not self.refusal


Found = tuple[str, dict[str, Any]]


def needs_of(
    key: CutoverKey, cutover: Cutover, stage: str, read_percentage: int | None = None
) -> Iterator[Need]:
    """What moving ``cutover`` to ``stage`` needs, one by one: whoever stops early asks no more."""
    run: Run | None = None
    forward = (cutover.stage, stage)
    if forward in {(Stage.DUAL_WRITE, Stage.SHADOW), (Stage.SHADOW, Stage.LIVE)}:
        run = newest_completed(get_definition(key.definition))
        yield _need("run_missing", _("a completed run"), _run_missing(key, run))
        yield _need("not_verified", _("a passed verification"), _not_verified(run))
    if forward == (Stage.SHADOW, Stage.LIVE):
        yield from _fresh_and_clean(key, cutover, run)
    share = cutover.read_percentage if read_percentage is None else read_percentage
    if share_of_new(stage, share) < share_of_new(cutover.stage, cutover.read_percentage):
        yield _need("only_in_new", _("nothing that only the new system has"), _only_in_new(key))


def _fresh_and_clean(key: CutoverKey, cutover: Cutover, run: Run | None) -> Iterator[Need]:
    conditions: list[tuple[str, Promise, Callable[[], str]]] = [
        ("verification_old", _("a verification of the last 24 hours"), lambda: _old(run)),
        ("delta_waiting", _("no keys that came since"), lambda: _waiting(key)),
        ("run_unclean", _("no key left aside"), lambda: _unclean(run)),
        ("mismatches", _("no unexplained difference"), lambda: _unexplained(cutover)),
    ]
    for code, title, refusal in conditions:
        yield Need(code, title, refusal(), {})


def _need(code: str, title: Promise, found: Found) -> Need:
    return Need(code, title, *found)


def _run_missing(key: CutoverKey, run: Run | None) -> Found:
    if run is not None:
        return "", {}
    name = key.definition
    return gettext("No run of %(name)s is completed: datamigrate run %(name)s") % {"name": name}, {}


def _not_verified(run: Run | None) -> Found:
    if run is None:
        return str(_("There is no run to verify.")), {}
    if run.verification_state == VerificationState.PASSED:
        return "", {}
    return gettext("Run %(run)s is not verified: datamigrate verify %(run)s") % {"run": run.pk}, {}


def _old(run: Run | None) -> str:
    if run is None or run.verified_at is None:
        return str(_("There is no run to verify."))
    if database_time() - run.verified_at <= FRESH:
        return ""
    return gettext(
        "The verification of run %(run)s is older than 24 hours: datamigrate verify %(run)s"
    ) % {"run": run.pk}


def _waiting(key: CutoverKey) -> str:
    waiting = waiting_keys(get_definition(key.definition))
    if not waiting:
        return ""
    return gettext("%(waiting)s keys came since the last run: datamigrate run %(definition)s") % {
        "waiting": waiting,
        "definition": key.definition,
    }


def _unclean(run: Run | None) -> str:
    unclean = [] if run is None else unclean_keys(run)
    if run is None or not unclean:
        return ""
    return gettext(
        "%(unclean)s keys of run %(run)s are not carried over, such as "
        "%(keys)s: correct them, or waive them one by one."
    ) % {
        "unclean": len(unclean),
        "run": run.pk,
        "keys": ", ".join((key for _step, key in unclean[:5])),
    }


def _unexplained(cutover: Cutover) -> str:
    unexplained = Mismatch.objects.filter(cutover__key=cutover.key, explained_by=None).count()
    return (
        gettext("%(unexplained)s differences between the systems are unexplained.")
        % {"unexplained": unexplained}
        if unexplained
        else ""
    )


def _only_in_new(key: CutoverKey) -> Found:
    """Somebody will read the old system again: it has to know what the new one knows."""
    only_new = list(key.only_in_new())
    if not only_new:
        return "", {}
    more = (
        gettext(" and %(only_new)s more") % {"only_new": len(only_new) - MOST_LISTED}
        if len(only_new) > MOST_LISTED
        else ""
    )
    return (
        gettext("The old system does not know %(only_new)s%(more)s: they would be lost from sight.")
        % {"only_new": ", ".join(only_new[:MOST_LISTED]), "more": more},
        {"only_in_new": only_new[:MOST_LISTED]},
    )
