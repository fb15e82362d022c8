"""``python -m tests.benchmarks``: measure, print the table, and with ``--write`` keep it."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace

import django

from tests.benchmarks.sizes import FULL, QUICK, Sizes


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, one round")
    parser.add_argument("--rows", type=int, help="legacy rows of the quick contenders")
    parser.add_argument("--slow-rows", type=int, help="legacy rows of the loops")
    parser.add_argument("--rounds", type=int, help="how often every contender has its turn")
    parser.add_argument(
        "--memory-rows", type=int, nargs=2, metavar=("FEW", "MANY"), help="for peak memory"
    )
    parser.add_argument("--write", action="store_true", help="update docs/benchmarks.md")
    return parser.parse_args(arguments)


def sizes_of(options: argparse.Namespace) -> Sizes:
    given = {
        "rows": options.rows,
        "slow_rows": options.slow_rows,
        "rounds": options.rounds,
        "memory_rows": options.memory_rows and tuple(options.memory_rows),
    }
    return replace(
        QUICK if options.quick else FULL,
        **{name: value for name, value in given.items() if value is not None},
    )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests.benchmarks.document import write_document
    from tests.benchmarks.suite import measure

    options = parse()
    results = measure(sizes_of(options), lambda text: sys.stderr.write(f"{text}\n"))
    sys.stdout.write(results.as_markdown() + "\n")
    if options.write:
        write_document(results)


if __name__ == "__main__":
    main()
