"""``manage.py generate_legacy KIND``: a file as an old system could have exported it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from migrations_tools.generators import generate_file, generator_kinds
from migrations_tools.management.base import CarryoverCommand, ExitCode


def row_count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError("a number of rows is 0 or more")
    return count


def share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("a share lies between 0 and 1")
    return value


class Command(CarryoverCommand):
    help = "Write a legacy file of any size, always the same for the same arguments."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=generator_kinds())
        parser.add_argument("--rows", type=row_count, default=1000, help="default: 1000")
        parser.add_argument("--seed", type=int, default=0, help="another seed, other rows")
        parser.add_argument(
            "--defects",
            type=share,
            default=0.05,
            help="share of faulty rows, 0 to 1; default: 0.05",
        )
        parser.add_argument("--out", type=Path, required=True, help="the file to write")
        parser.add_argument("--force", action="store_true", help="replace an existing file")
        self.add_json_argument(parser)

    def execute_action(self, **options: Any) -> tuple[dict[str, Any], int]:
        kind, out = options["kind"], options["out"]
        asked = {name: options[name] for name in ("rows", "seed", "defects", "force")}
        tables = generate_file(kind, out, **asked)
        answer = {"kind": kind, "file": str(out), "bytes": out.stat().st_size, "tables": tables}
        return answer, ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        self.stdout.write(f"{answer['file']}: {answer['bytes']:,} bytes")
        for table, rows in answer["tables"].items():
            self.stdout.write(f"  {table}: {rows:,} rows")
