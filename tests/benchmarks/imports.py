"""Importing legacy files beside bare parsing and COPY."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.benchmarks.databases import Databases
from tests.benchmarks.results import Goal, Results, megabytes, ratios
from tests.benchmarks.sizes import Sizes


def measure_imports(databases: Databases, sizes: Sizes, results: Results) -> None:
    """A database and JSON lines; each import in turn with its bare counterpart."""
    empty = databases.migrated()
    database = databases.legacy_file(sizes.rows)
    lines = json_lines(database)
    for title, file, table in (
        ("SQLite file", database, None),
        ("JSON lines", lines, "imported_records"),
    ):
        ours = results.new(f"import of a {title}" if table is None else "import of JSON lines", 0)
        bare = results.new(f"{title}: bare parsing and COPY", 0)
        for _ in range(sizes.rounds):
            answer = databases.contend(empty, "import_file", file=str(file), table=table)
            ours.rows = answer["read"]
            ours.add(answer["seconds"]["import"], answer["peak"])
            answer = databases.contend(empty, "bare_import", file=str(file))
            bare.rows = answer["read"]
            bare.add(answer["seconds"]["import"], answer["peak"])
        results.goals.append(
            Goal(f"{title}: time of bare parsing and COPY", "×", ratios(bare, ours), at_most=2)
        )
    many = json_lines(databases.legacy_file(sizes.memory_rows[1]))
    measured = results.new("import of many JSON lines", sizes.memory_rows[1])
    answer = databases.contend(empty, "import_file", file=str(many), table="imported_records")
    measured.add(answer["seconds"]["import"], answer["peak"])
    results.goals.append(
        Goal(
            f"memory of importing {sizes.memory_rows[1]:,} JSON lines",
            "MB",
            [megabytes(answer["peak"])],
            at_most=300,
        )
    )


def json_lines(database: Path) -> Path:
    """The old rows of a generated database, one JSON object a line."""
    path = database.with_suffix(".jsonl")
    with closing(sqlite3.connect(database)) as source, path.open("w", encoding="utf-8") as out:
        rows = source.execute("SELECT * FROM imported_records")
        columns = [column[0] for column in rows.description]
        for row in rows:
            document = dict(zip(columns, row, strict=True))
            out.write(json.dumps(document, ensure_ascii=False) + "\n")
    return path
