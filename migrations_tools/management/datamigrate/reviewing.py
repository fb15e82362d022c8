"""Decide what a run left to review."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from migrations_tools.definitions.registry import all_definitions, get_definition
from migrations_tools.management.base import ExitCode
from migrations_tools.management.datamigrate.base import Answer, Subcommand, describe_run
from migrations_tools.management.datamigrate.running import add_flags, given_flags, work
from migrations_tools.selectors.reviews import review_queue
from migrations_tools.selectors.summary import nothing_to_do, summarise
from migrations_tools.services.reviews import decide, get_reviewed_run
from migrations_tools.states import ReviewDecision, RunKind

LIST = "list"
DECISIONS = {
    "accept": ReviewDecision.ACCEPTED,
    "choose": ReviewDecision.CHOSEN,
    "park": ReviewDecision.PARKED,
    "skip": ReviewDecision.SKIPPED,
}


class Review(Subcommand):
    name = "review"
    help = "List what a run left to a person, or decide it: these keys, or all that wait."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN")
        parser.add_argument(
            "what", metavar="|".join([LIST, *DECISIONS]), choices=[LIST, *DECISIONS]
        )
        parser.add_argument("keys", metavar="KEY", nargs="*")
        parser.add_argument("--reason", default="", help="Why; kept with the decision.")
        parser.add_argument("--background", action="store_true", help="Leave it to the workers.")
        choices = (step.choices for found in all_definitions() for step in found.steps)
        add_flags(parser, [found for found in choices if found is not None])

    def execute(self, **options: Any) -> Answer:
        run = get_reviewed_run(options["run"])
        if options["what"] == LIST:
            return review_queue(run), ExitCode.DONE
        decision = DECISIONS[options["what"]]
        decision_run = decide(
            run,
            decision,
            options["keys"],
            choice=given_flags(options) or None,
            reason=options["reason"],
            **self.actor,
        )
        if decision == ReviewDecision.SKIPPED:
            return review_queue(run), ExitCode.DONE
        if decision_run is None:
            return nothing_to_do(get_definition(run.definition), RunKind.APPLY), ExitCode.DONE
        if options["background"]:
            return summarise(decision_run), ExitCode.DONE
        return work(decision_run, 1, **self.actor)

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        if "items" not in answer:
            describe_run(self.stdout, answer)
            return
        if not answer["items"]:
            self.stdout.write("Nothing was left to review.")
            return
        rows = [["key", "decision", "confidence", "proposal", "evidence", "decided by, why"]]
        rows += [_cells(item) for item in answer["items"]]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def _cells(item: dict[str, Any]) -> list[str]:
    confidence = item["confidence"]
    return [
        item["key"],
        item["decision"],
        "" if confidence is None else f"{confidence:.2f}",
        _in_words(item["proposal"]),
        _in_words(item["evidence"]),
        ": ".join(filter(None, [item["decided_by"], item["reason"]])),
    ]


def _in_words(values: dict[str, Any]) -> str:
    """An object on one line, without its braces; texts without their quotes."""
    return ", ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in values.items()
    )
