"""Back up journals, check backups, purge."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from migrations_tools.evidence import check_bundle, evidence_of, write_bundle
from migrations_tools.exceptions import CarryoverError
from migrations_tools.management.base import ExitCode
from migrations_tools.management.datamigrate.base import Answer, Subcommand
from migrations_tools.services import retention, runs


class _Keeping(Subcommand):
    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        for name, value in answer.items():
            self.stdout.write(f"{name}: {value}")


class Backup(_Keeping):
    name = "backup"
    help = "Write journal, ledger and transitions of a run to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE")

    def execute(self, **options: Any) -> Answer:
        run = runs.get_run(options["run"])
        return retention.backup_run(run, options["out"], **self.actor), ExitCode.DONE


class Restore(_Keeping):
    name = "restore"
    help = "Test that a backup is whole and unchanged."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--check", action="store_true", required=True)

    def execute(self, **options: Any) -> Answer:
        answer = retention.check_backup(options["file"])
        return answer, ExitCode.DONE if answer["ok"] else ExitCode.NOT_VERIFIED


class Report(_Keeping):
    name = "report"
    help = "Write the evidence of a run to a file, or test that such a file is unchanged."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN", nargs="?")
        files = parser.add_mutually_exclusive_group(required=True)
        files.add_argument("--out", type=Path, metavar="FILE", help="The ZIP file to write.")
        files.add_argument("--check", type=Path, metavar="FILE", help="The ZIP file to test.")

    def execute(self, **options: Any) -> Answer:
        if options["check"] is not None:
            answer = check_bundle(options["check"])
            return answer, ExitCode.DONE if answer["ok"] else ExitCode.NOT_VERIFIED
        if options["run"] is None:
            raise CarryoverError("Name the run whose evidence is wanted.", code="usage")
        run = runs.get_run(options["run"])
        return {"run": str(run.pk), **write_bundle(evidence_of(run), options["out"])}, ExitCode.DONE


class Purge(_Keeping):
    name = "purge"
    help = "Remove ledger and journal of a run that is past its retention time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN")
        parser.add_argument("--reason", required=True)

    def execute(self, **options: Any) -> Answer:
        run = runs.get_run(options["run"])
        answer = retention.purge_run(run, reason=options["reason"], **self.actor)
        return answer, ExitCode.DONE


class Erase(_Keeping):
    name = "erase"
    help = "Remove the personal values of keys from ledger and journal; the digests stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN")
        parser.add_argument("keys", metavar="KEY", nargs="+")
        parser.add_argument("--reason", required=True)

    def execute(self, **options: Any) -> Answer:
        run = runs.get_run(options["run"])
        answer = retention.erase_personal(
            run, options["keys"], reason=options["reason"], **self.actor
        )
        return answer, ExitCode.DONE
