"""Plan, run, pause, resume, cancel, retry."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.options import option_flags
from migrations_tools.definitions.registry import all_definitions, get_definition
from migrations_tools.engine.worker import settle_stopped
from migrations_tools.exceptions import (
    CarryoverError,
    InvalidOption,
    PermissionRefused,
    TransitionRefused,
)
from migrations_tools.management.base import ExitCode
from migrations_tools.management.datamigrate.base import (
    Answer,
    Subcommand,
    describe_run,
    exit_code_of,
)
from migrations_tools.management.datamigrate.progress import RunProgress
from migrations_tools.management.interruption import Interruption
from migrations_tools.models import Run
from migrations_tools.selectors.summary import nothing_to_do, summarise
from migrations_tools.services import runs
from migrations_tools.services.requests import request_run
from migrations_tools.states import RunKind, RunState


def positive(text: str) -> int:
    """A whole number above zero."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ArgumentTypeError(f"“{text}” is no whole number above 0")
    return number


def add_option_arguments(parser: ArgumentParser) -> None:
    """``--option k=v``, and a flag for every option of every definition."""
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
    add_flags(parser, [definition.options for definition in all_definitions()])


def add_flags(parser: ArgumentParser, options: Iterable[type[Any]]) -> None:
    """A flag ``--name`` for every field of these dataclasses; equal names are one flag."""
    seen: set[str] = set()
    for name, is_switch, help_text in chain.from_iterable(map(option_flags, options)):
        if name in seen:
            continue
        seen.add(name)
        flag = "--" + name.replace("_", "-")
        if is_switch:
            parser.add_argument(
                flag, dest=f"option_{name}", action="store_const", const=True, help=help_text
            )
        else:
            parser.add_argument(flag, dest=f"option_{name}", metavar="VALUE", help=help_text)


def chosen_options(options: dict[str, Any]) -> dict[str, Any]:
    """The definition's options as given, from both spellings."""
    chosen: dict[str, Any] = {}
    for pair in options["option"]:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InvalidOption(f"--option takes NAME=VALUE, not “{pair}”.")
        chosen[name.replace("-", "_")] = value
    return {**chosen, **given_flags(options)}


def given_flags(options: dict[str, Any]) -> dict[str, Any]:
    """Name → value of the flags of ``add_flags`` that were given."""
    return {
        name.removeprefix("option_"): value
        for name, value in options.items()
        if name.startswith("option_") and value is not None
    }


class Plan(Subcommand):
    name = "plan"
    help = "Forecast a run by executing it on all keys, or on a sample, and keeping nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("migration", metavar="NAME")
        parser.add_argument("--limit", type=positive, help="At most so many source keys.")
        parser.add_argument("--batch-size", type=positive)
        parser.add_argument("--background", action="store_true", help="Leave it to the workers.")
        add_option_arguments(parser)

    def execute(self, **options: Any) -> Answer:
        definition = get_definition(options["migration"])
        tuning = {"limit": options["limit"], "batch_size": options["batch_size"]}
        given = {"options": chosen_options(options), "tuning": tuning, **self.actor}
        if options["background"]:
            return leave_to_workers(definition, RunKind.PLAN, given)
        with RunProgress(f"plan {definition.name}") as progress:
            run = runs.plan_run(definition.name, progress=progress.add, **given)
        if run is None:
            return nothing_to_do(definition, RunKind.PLAN), ExitCode.DONE
        report = dict(run.report)
        forecast = {name: report.pop(name) for name in ("total", "outcomes", "warnings", "codes")}
        return {**summarise(run), **forecast, "plan": report}, ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        describe_run(self.stdout, answer)
        if "plan" not in answer:  # nothing to do, or left to the workers
            return
        plan = answer["plan"]
        low, high = plan["estimate"]["seconds"]
        if plan["sampled"]:
            self.stdout.write(f"  forecast from a sample of {plan['examined']} keys")
        self.stdout.write(f"  will take about {low} to {high} s")
        for sample in plan["samples"][:3]:
            self.stdout.write(f"  for example {sample['key']}:")
            for change in sample["changes"]:
                before = change["before"] or "nothing"
                self.stdout.write(f"    {change['model']}: {before} → {change['after']}")
        self.stdout.write(
            f"  to run it: datamigrate run {answer['migration']} --plan {answer['run']}"
        )


class RunCommand(Subcommand):
    name = "run"
    help = "Carry everything over that is selected, in resumable batches."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("migration", metavar="NAME")
        parser.add_argument("--dry-run", action="store_true", help="Execute, and keep nothing.")
        parser.add_argument("--plan", metavar="RUN", help="Run this plan; refused if it drifted.")
        parser.add_argument("--workers", type=positive, default=1, help="Number of processes.")
        parser.add_argument("--batch-size", type=positive, help="Fixed instead of adaptive.")
        parser.add_argument("--limit", type=positive, help="At most so many source keys.")
        parser.add_argument("--interactive", action="store_true", help="Ask before writing.")
        parser.add_argument("--yes", action="store_true", help="Answer yes to all questions.")
        parser.add_argument("--background", action="store_true", help="Leave it to the workers.")
        parser.add_argument("--report", type=Path, metavar="FILE", help="Write the summary there.")
        parser.add_argument("--accept-drift", default="", metavar="REASON")
        parser.add_argument("--reason", default="", help="Why; kept in the history.")
        add_option_arguments(parser)

    def execute(self, **options: Any) -> Answer:
        answer, code = self._run(**options)
        if options["report"]:
            try:
                text = json.dumps(answer, ensure_ascii=False, indent=2, default=str)
                options["report"].write_text(text + "\n", encoding="utf-8")
            except OSError as error:
                raise CarryoverError(
                    f"The run is done, but its report cannot be written: {error}",
                    code="report_not_written",
                ) from error
        return answer, code

    def _run(self, **options: Any) -> Answer:
        definition = get_definition(options["migration"])
        tuning = {"limit": options["limit"], "batch_size": options["batch_size"]}
        if options["background"]:
            tuning["workers"] = options["workers"]
        given = {"options": chosen_options(options) or None, "tuning": tuning, **self.actor}
        if options["dry_run"] and options["background"]:
            return leave_to_workers(definition, RunKind.DRY_RUN, given)
        if options["dry_run"]:
            with RunProgress(f"dry run {definition.name}") as progress:
                run = runs.dry_run(definition.name, progress=progress.add, **given)
            if run is None:
                return nothing_to_do(definition, RunKind.DRY_RUN), ExitCode.DONE
            summary = summarise(run)
            return summary, exit_code_of(summary)
        planned = runs.get_run(options["plan"]) if options["plan"] else None
        if options["interactive"] and not options["yes"]:
            if planned is None:
                with RunProgress(f"plan {definition.name}") as progress:
                    planned = runs.plan_run(definition.name, progress=progress.add, **given)
            if planned is not None and not self._agreed(planned):
                self.stderr.write("Nothing was written.")
                return nothing_to_do(definition, RunKind.APPLY) | {"declined": True}, ExitCode.DONE
        with RunProgress(f"plan {definition.name}") as progress:
            run = runs.start_run(
                definition.name,
                planned=planned,
                accept_drift=options["accept_drift"],
                reason=options["reason"],
                progress=progress.add,
                **given,
            )
        if run is None:
            return nothing_to_do(definition, RunKind.APPLY), ExitCode.DONE
        if options["background"]:
            return summarise(run), ExitCode.DONE
        return work(run, options["workers"], **self.actor)

    def _agreed(self, planned: Run) -> bool:
        """Ask with the totals, and once more where there are risks; no answer means no."""
        report = planned.report
        outcomes = ", ".join(f"{n} {name}" for name, n in report["outcomes"].items() if n)
        questions = [f"{report['total']} keys: {outcomes}. Go on?"]
        if report["risks"]:
            questions.append(f"Risks: {'; '.join(report['risks'])}. Go on all the same?")
        for question in questions:
            self.stderr.write(f"{question} [y/N] ", ending="")
            self.stderr.flush()
            if sys.stdin.readline().strip().casefold() not in {"y", "yes"}:
                return False
        return True


def leave_to_workers(definition: type[DataMigration], kind: str, given: dict[str, Any]) -> Answer:
    """A plan or dry run that is asked for."""
    run = request_run(definition.name, kind, **given)
    if run is None:
        return nothing_to_do(definition, kind), ExitCode.DONE
    return summarise(run), ExitCode.DONE


def work(run: Run, workers: int, **actor: Any) -> Answer:
    """Work in the foreground, as ``workers`` processes; Ctrl-C pauses after the batch in hand."""
    others: list[subprocess.Popen[bytes]] = []
    with Interruption() as interruption:
        try:
            with RunProgress(f"{run.kind} {run.definition}") as progress:
                runs.begin(run)
                others = [_other_worker(run) for _ in range(workers - 1)]
                run = runs.work_run(
                    run, progress=progress.of_run, stopping=lambda: interruption.asked
                )
        except KeyboardInterrupt:  # the second one
            interruption.asked = True
        if interruption.asked:
            for other in others:
                other.send_signal(signal.SIGINT)
            pause_interrupted(run, actor)
        for other in others:
            other.wait()
        settle_stopped(run)
    run.refresh_from_db()
    summary = summarise(run)
    return summary, exit_code_of(summary)


def pause_interrupted(run: Run, actor: dict[str, Any]) -> None:
    """Pause a run whose command was interrupted, if it still can be and the actor may."""
    try:
        runs.pause_run(run, reason="interrupted from the keyboard", **actor)
    except TransitionRefused:  # it came to its end meanwhile
        return
    except PermissionRefused:  # who may review need not have the right to pause: it stays running
        return


def _other_worker(run: Run) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "django", "datamigrate", "work", str(run.pk)]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return subprocess.Popen(  # noqa: S603 - our own command
        command,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # the terminal's Ctrl-C comes to it from us, once
    )


class Work(Subcommand):
    name = "work"
    help = SUPPRESS

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN")

    def execute(self, **options: Any) -> Answer:
        run = runs.get_run(options["run"])
        with Interruption() as interruption:
            run = runs.work_run(run, stopping=lambda: interruption.asked)
        return summarise(run, problems=False), ExitCode.DONE


class Pause(Subcommand):
    name = "pause"
    help = "Pause a run within one batch."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN")
        parser.add_argument("--reason", default="")

    def execute(self, **options: Any) -> Answer:
        run = runs.pause_run(runs.get_run(options["run"]), reason=options["reason"], **self.actor)
        return summarise(run), ExitCode.DONE


class Cancel(Pause):
    name = "cancel"
    help = "Stop a run for good within one batch; what it wrote stays."

    def execute(self, **options: Any) -> Answer:
        run = runs.cancel_run(runs.get_run(options["run"]), reason=options["reason"], **self.actor)
        return summarise(run), ExitCode.DONE


class Resume(Subcommand):
    name = "resume"
    help = "Go on with a paused or stopped run, or take over one whose worker died."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN")
        parser.add_argument("--workers", type=positive, default=1)
        parser.add_argument("--background", action="store_true")
        parser.add_argument("--accept-drift", default="", metavar="REASON")

    def execute(self, **options: Any) -> Answer:
        run = runs.get_run(options["run"])
        if run.state in {RunState.PAUSING, RunState.CANCELLING}:
            run = runs.work_run(run)
        run = runs.resume_run(run, accept_drift=options["accept_drift"], **self.actor)
        if options["background"]:
            return summarise(run), ExitCode.DONE
        return work(run, options["workers"], **self.actor)


class Retry(Subcommand):
    name = "retry"
    help = "Drive quarantined keys of a completed run again, these or all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN")
        parser.add_argument("keys", metavar="KEY", nargs="*")
        parser.add_argument("--workers", type=positive, default=1)
        parser.add_argument("--background", action="store_true")

    def execute(self, **options: Any) -> Answer:
        run = runs.get_run(options["run"])
        again = runs.retry_run(run, options["keys"], **self.actor)
        if again is None:
            return nothing_to_do(get_definition(run.definition), run.kind), ExitCode.DONE
        if options["background"]:
            return summarise(again), ExitCode.DONE
        return work(again, options["workers"], **self.actor)
