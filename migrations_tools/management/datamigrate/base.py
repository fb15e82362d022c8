"""What every subcommand shares: who acts, how an answer becomes an exit code."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.core.management.base import OutputWrapper

from migrations_tools.management.base import ExitCode
from migrations_tools.models import Run
from migrations_tools.services.actors import acting_user_from_environment
from migrations_tools.states import RunKind, RunState, Surface, state_sentence

Answer = tuple[dict[str, Any], int]


class Subcommand:
    """One subcommand. ``execute`` answers a JSON object and an exit code."""

    name: ClassVar[str]
    help: ClassVar[str]

    def __init__(self, stdout: OutputWrapper, stderr: OutputWrapper) -> None:
        self.stdout, self.stderr = stdout, stderr

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Arguments of its own; ``--json`` is there already."""

    def execute(self, **options: Any) -> Answer:
        raise TypeError(f"{type(self).__name__} does nothing")

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        """Write the answer for a person."""
        describe_run(self.stdout, answer)

    @property
    def actor(self) -> dict[str, Any]:
        """Who acts, as the services ask for it."""
        user: User = acting_user_from_environment(Surface.COMMAND)
        return {"acting_user": user, "surface": Surface.COMMAND}


def exit_code_of(summary: dict[str, Any]) -> int:
    """0 done, 1 standing still before its end, 2 with quarantined or conflicting keys."""
    finished = {RunState.COMPLETED, RunState.ROLLED_BACK, RunState.PARTIALLY_ROLLED_BACK}
    if summary["state"] not in finished:
        return ExitCode.REFUSED
    outcomes = summary["outcomes"]
    return ExitCode.PROBLEMS if outcomes["quarantined"] or outcomes["conflict"] else ExitCode.DONE


def describe_run(
    stdout: OutputWrapper, summary: dict[str, Any], *, most_problems: int = 20
) -> None:
    """A summary in lines."""
    if summary["run"] is None:
        what = "not run, as you said" if summary.get("declined") else "nothing to do"
        stdout.write(f"{summary['migration']}: {what}.")
        return
    state = RunState(summary["state"])
    kind = RunKind(summary["kind"])
    stdout.write(f"{kind.label} {summary['migration']}  run {summary['run']}")
    stdout.write(f"  {state.label}: {state_sentence(kind, state)}")
    reason = Run.objects.filter(pk=summary["run"]).values_list("state_reason", flat=True).first()
    if reason and state not in {RunState.COMPLETED, RunState.ROLLED_BACK}:
        stdout.write(f"  {reason}")
    outcomes = ", ".join(f"{n} {name}" for name, n in summary["outcomes"].items() if n)
    stdout.write(f"  {summary['total']} keys: {outcomes or 'none'}")
    stdout.write(f"  {summary['seconds']} s, {summary['rows_per_second']} keys/s")
    for title in ("codes", "warnings", "categories"):
        if summary[title]:
            listed = ", ".join(f"{code} {n}" for code, n in summary[title].items())
            stdout.write(f"  {title}: {listed}")
    for label, operations in summary["changes"].items():
        listed = ", ".join(f"{n} {operation}s" for operation, n in operations.items() if n)
        stdout.write(f"  {label}: {listed}")
    for title in ("risks", "recommendations"):
        for sentence in summary[title]:
            stdout.write(f"  {title[:-1]}: {sentence}")
    if summary["outcomes"]["review"] and kind == RunKind.APPLY:
        stdout.write(
            f"  to decide what is left to review: datamigrate review {summary['run']} list"
        )
    problems = summary["problems"]
    for problem in problems[:most_problems]:
        detail = f" – {problem['detail']}" if problem["detail"] else ""
        stdout.write(f"  {problem['key']}: {problem['outcome']} {problem['code']}{detail}")
    if len(problems) > most_problems:
        stdout.write(f"  … and {len(problems) - most_problems} more; --json lists them all.")
