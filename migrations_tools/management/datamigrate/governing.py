"""Stop all runs, let them go, tune one, approve one, rehearse one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from migrations_tools.definitions.registry import get_definition
from migrations_tools.management.base import ExitCode
from migrations_tools.management.datamigrate.base import Answer, Subcommand, exit_code_of
from migrations_tools.management.datamigrate.running import (
    add_option_arguments,
    chosen_options,
    positive,
    work,
)
from migrations_tools.selectors.summary import nothing_to_do, summarise
from migrations_tools.services import governor, policies, runs, trial
from migrations_tools.states import RunKind


class Stop(Subcommand):
    name = "stop"
    help = "Let no worker begin a batch of any run, until “go”."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True, help="Why; everybody sees it.")

    def execute(self, **options: Any) -> Answer:
        done = governor.stop_all_runs(reason=options["reason"], **self.actor)
        return {"stopped": done.stopped, "reason": done.reason}, ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        state = "All runs wait" if answer["stopped"] else "Runs go on"
        self.stdout.write(f"{state}: {answer['reason']}" if answer["reason"] else f"{state}.")


class Go(Stop):
    name = "go"
    help = "Let runs go on that “stop” held up."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", default="")

    def execute(self, **options: Any) -> Answer:
        done = governor.let_runs_go(reason=options["reason"], **self.actor)
        return {"stopped": done.stopped, "reason": done.reason}, ExitCode.DONE


class Tune(Subcommand):
    name = "tune"
    help = "Change how a run works; it takes effect with the next batch."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN")
        parser.add_argument("--batch-size", type=positive, help="Keys of one batch.")
        parser.add_argument("--target-seconds", type=float, help="Time that a batch should take.")
        parser.add_argument("--workers", type=positive, help="Celery workers to call.")

    def execute(self, **options: Any) -> Answer:
        run = runs.tune_run(
            runs.get_run(options["run"]),
            {name: options[name] for name in runs.TUNABLE if options[name] is not None},
            **self.actor,
        )
        return summarise(run, problems=False), ExitCode.DONE


class Approve(Subcommand):
    name = "approve"
    help = "Approve a run that waits for a second person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN")
        parser.add_argument("--reason", default="")
        parser.add_argument("--workers", type=positive, default=1)
        parser.add_argument("--background", action="store_true", help="Leave it to the workers.")

    def execute(self, **options: Any) -> Answer:
        run = policies.approve_run(
            runs.get_run(options["run"]), reason=options["reason"], **self.actor
        )
        if options["background"]:
            return summarise(run), ExitCode.DONE
        return work(run, options["workers"], **self.actor)


class Rehearse(Subcommand):
    name = "rehearse"
    help = "Carry a few keys over for real, verify, roll back, and verify."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("migration", metavar="NAME")
        parser.add_argument("--limit", type=positive, default=trial.REHEARSAL_KEYS)
        add_option_arguments(parser)

    def execute(self, **options: Any) -> Answer:
        definition = get_definition(options["migration"])
        run = trial.rehearse_run(
            definition.name,
            keys=options["limit"],
            options=chosen_options(options) or None,
            **self.actor,
        )
        if run is None:
            return nothing_to_do(definition, RunKind.APPLY), ExitCode.DONE
        summary = summarise(run)
        return summary, exit_code_of(summary)
