"""A rehearsal: carry a few keys over for real, verify, take them back, verify (SPEC §2.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Run
from migrations_tools.services import policies, rollback, runs, verification
from migrations_tools.services.actors import require
from migrations_tools.states import RunState

#: Keys of a rehearsal, unless more are asked for.
REHEARSAL_KEYS = 100


class RehearsalFailed(CarryoverError):
    """The rehearsal met what the real run would have met; the message says where to look."""

    code = "rehearsal_failed"


def rehearse_run(
    name: str,
    *,
    acting_user: User,
    surface: str,
    keys: int = REHEARSAL_KEYS,
    options: Mapping[str, Any] | None = None,
) -> Run | None:
    """Rehearse with at most ``keys`` source keys; the run, rolled back, or None: nothing to do.

    Works in the foreground. Raises PermissionRefused, at once, where ``acting_user`` could carry
    over but not take back; raises RehearsalFailed where a verification fails, the run stops, or
    something could not be taken back; what is left then is a run like any other.
    """
    who: dict[str, Any] = {"acting_user": acting_user, "surface": surface}
    for permission in ("run", "rollback"):
        require(acting_user, permission, surface=surface)
    run = runs.start_run(
        name, options=options, tuning={"limit": keys}, reason="rehearsal", trial=True, **who
    )
    if run is None:
        return None
    run = runs.work_run(run)
    _expect(
        run.state == RunState.COMPLETED, run, _("is %(state)s") % {"state": run.get_state_display()}
    )
    _expect(verification.verify_run(run, **who)["ok"], run, _("did not pass its verification"))
    back = rollback.roll_back_run(run, reason="rehearsal", **who)
    if back is not None:
        back = runs.work_run(back)
        _expect(
            verification.verify_run(back, **who)["ok"], back, _("did not pass its verification")
        )
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        _expect(
            run.state == RunState.ROLLED_BACK,
            run,
            _("is %(state)s") % {"state": run.get_state_display()},
        )
        run.report[policies.REHEARSED] = True
        run.save(update_fields=["report"])
    return run


def _expect(holds: bool, run: Run, what: str) -> None:
    if not holds:
        raise RehearsalFailed(
            _("The rehearsal of %(definition)s %(what)s: datamigrate status %(run)s")
            % {"definition": run.definition, "what": what, "run": run.pk},
            run=str(run.pk),
        )
