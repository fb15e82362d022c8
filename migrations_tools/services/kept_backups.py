"""Backups of journals that are kept on the server: written, listed, tested, taken away to a
safe place.

They lie in a private folder below CARRYOVER_HOME under names of their own: nobody who asks for one
names a path. Backups that a command wrote elsewhere are the business of whoever wrote them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from migrations_tools.engine.clock import database_time
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Run, Transition
from migrations_tools.services.actors import require
from migrations_tools.services.retention import backup_run, check_backup, refuse_large

_COUNTS: Final = ("batch", "ledger", "change", "transition")


class UnknownBackup(CarryoverError):
    """The run has no backup of that name here."""

    code = "unknown_backup"
    http_status = 404


def folder() -> Path:
    """Where they lie, CARRYOVER_HOME/backups; made when first needed."""
    return Path(getattr(settings, "CARRYOVER_HOME", "var")) / "backups"


def keep_backup(run: Run, *, acting_user: User, surface: str) -> dict[str, Any]:
    """Write a backup of a run that stands still, see `retention.backup_run`; told as in a list.

    Raises RunTooLarge where that takes longer than somebody waits.
    """
    require(acting_user, "purge", surface=surface, run=run)
    refuse_large(run, f"datamigrate backup {run.pk} --out FILE")
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"backup-{run.pk}-{database_time():%Y%m%dT%H%M%S%f}.jsonl.gz"
    written = backup_run(run, folder() / name, acting_user=acting_user, surface=surface)
    return next(told for told in _told(run) if told["file"] == Path(written["file"]).name)


def kept_backups(run: Run, *, acting_user: User, surface: str) -> list[dict[str, Any]]:
    """Backups of the run that lie here, the newest first: name, size in bytes, SHA-256, numbers of
    lines by kind, who wrote it and when.
    """
    require(acting_user, "purge", surface=surface, run=run)
    return _told(run)


def kept_backup(run: Run, name: str, *, acting_user: User, surface: str) -> Path:
    """The file of that name. Raises UnknownBackup."""
    require(acting_user, "purge", surface=surface, run=run)
    if name not in {told["file"] for told in _told(run)}:
        raise UnknownBackup(_("Run %(run)s has no such backup here.") % {"run": run.pk}, file=name)
    return folder() / name


def check_kept_backup(run: Run, name: str, *, acting_user: User, surface: str) -> dict[str, Any]:
    """Whether it is whole and unchanged (`retention.check_backup`). Raises UnknownBackup."""
    refuse_large(run, "datamigrate restore FILE --check")
    path = kept_backup(run, name, acting_user=acting_user, surface=surface)
    return {**check_backup(path), "file": name}


def _told(run: Run) -> list[dict[str, Any]]:
    written = Transition.objects.filter(run=run, action="backup").select_related("actor")
    found = []
    for each in written.order_by("-id"):
        name = str(each.details["file"])
        path = folder() / name
        if path.is_file():
            found.append(
                {
                    "file": name,
                    "size": path.stat().st_size,
                    "sha256": each.details["sha256"],
                    **{kind: each.details[kind] for kind in _COUNTS},
                    "actor": each.actor.get_username(),
                    "at": each.at,
                }
            )
    return found
