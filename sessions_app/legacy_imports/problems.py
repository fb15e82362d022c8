"""Files of problems, in both their shapes (contests.md "Input and models").

The newer one names the contest by ``contest_id`` and gives the answer as the text of the choice;
the older one names year and contest and gives the letter, ``answer_key``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from django.db.models.functions import Lower
from django.utils.translation import gettext_noop

from migrations_tools.engine.history import CHANGED, INSERTED, write_history
from migrations_tools.engine.transfer import transfer_keys
from migrations_tools.imports.preview import RowStatus
from migrations_tools.imports.readers.base import Record, SourceTable
from migrations_tools.imports.tables import Counts, FileImport, ImportTable, RowRefusedError
from migrations_tools.text import storable, storable_text
from sessions_app.contests.problems import ProblemKey, contest_id, key_of_id
from sessions_app.contests.values import read_count, read_text, read_topics
from sessions_app.models import Difficulty, Problem
from sessions_app.reading.blanks import WHITE_SPACE

#: Field → legacy names of its column.
COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "id": ("_id", "id", "problem_id", "external_id"),
    "contest_id": ("contest_id",),
    "year": ("year",),
    "contest": ("contest", "contest_name"),
    "number": ("problem_number", "number"),
    "choice_answer": ("correct_answer",),
    "answer_key": ("answer_key",),
    "difficulty": ("difficulty",),
    "topics": ("topics",),
    "area": ("area", "topic"),
    "sub_topic": ("sub_topic", "subtopic"),
}

_CHUNK: Final = 1_000  # problems
_REASON: Final = "import "  # and the id of the import: the reason of history rows
_FIELDS: Final = (
    "year", "contest", "correct_answer", "choice_answer", "answer_key", "difficulty", "topics",
    "external_ids",
)  # fmt: skip
_CONTEST_ID: Final = re.compile(r"(.+)_([0-9]{4})")
_JOINED: Final = re.compile(r"([A-Za-z]+)([0-9]+[A-Za-z]*)")  # AMC10A
_LONGEST_CONTEST: Final = 80  # characters
_LONGEST_ID: Final = 255


@dataclass(frozen=True)
class _Entry:
    """What a record says of a problem; blank texts and empty topics are not known."""

    key: ProblemKey
    contest_id: str
    contest: str
    year: int
    choice_answer: str
    answer_key: str
    difficulty: str
    topics: tuple[str, ...]
    external_id: str
    is_newer_shape: bool
    line: int = field(compare=False)


class ProblemTable(ImportTable):
    """Records become problems of the bank, by contest and number; both shapes meet in one.

    The newer shape counts before the older one, in whatever order they come. What somebody
    changed here stays. Rejected are records that do not say which problem they are
    (``problem_unnamed``), and a second record of one shape for a problem, with other values
    (``duplicate_key``).
    """

    def __init__(self, name: str, *, other_names: Sequence[str] = ()) -> None:
        super().__init__(name, columns=COLUMNS, other_names=other_names)

    def load(self, source: SourceTable, file_import: FileImport) -> Counts:
        counts = Counts()
        entries = self._entries(source, file_import, counts)
        while chunk := list(islice(entries, _CHUNK)):
            counts += _write(chunk, file_import, self.name)
            file_import.flush()
        return counts

    def _entries(
        self, source: SourceTable, file_import: FileImport, counts: Counts
    ) -> Iterator[_Entry]:
        """Each problem once for each shape; repetitions are counted or rejected."""
        seen: dict[tuple[ProblemKey, bool], _Entry] = {}
        for record in file_import.rows(source, self.name):
            if record is None:
                continue
            try:
                entry = self._entry(record)
                first = seen.setdefault((entry.key, entry.is_newer_shape), entry)
                if first != entry:
                    raise RowRefusedError(
                        "duplicate_key",
                        gettext_noop("A row of the same problem, with other values, is before."),
                    )
            except RowRefusedError as refusal:
                file_import.refuse(self.name, record, refusal)
                continue
            if first is entry:
                yield entry
            else:
                counts.unchanged += 1

    def _entry(self, record: Record) -> _Entry:
        values: dict[str, Any] = {}
        for column, filled in self.fields_of(record.values):
            if filled is not None and record.values[column] is not None:
                values.setdefault(filled, record.values[column])
        ref = _text(values.get("id"))
        named, contest, year, number = _place(values, key_of_id(ref))
        topics = read_topics(values.get("topics")) or read_topics(
            {name: values.get(name) for name in ("area", "sub_topic")}
        )
        difficulty = _text(values.get("difficulty")).lower()
        choice, letter = _text(values.get("choice_answer")), _text(values.get("answer_key"))
        newer = "contest_id" in values
        return _Entry(
            key=ProblemKey(named.lower(), number),
            contest_id=named,
            contest=contest,
            year=year,
            choice_answer=(choice or letter) if newer else "",
            answer_key="" if newer else letter or choice,
            difficulty=difficulty if difficulty in Difficulty.values else "",
            topics=tuple(storable_text(topic) for topic in topics),
            external_id=ref if len(ref) <= _LONGEST_ID and storable(ref) else "",
            is_newer_shape=newer,
            line=record.line,
        )


def _place(values: Mapping[str, Any], by_id: ProblemKey | None) -> tuple[str, str, int, int]:
    """Contest id, contest, year and number, from whatever the record says of them."""
    named = _text(values.get("contest_id"))
    contest, year = _text(values.get("contest")), read_count(values.get("year"), 9_999)
    number = read_count(values.get("number")) or (by_id.number if by_id else None)
    if not named and contest and year:
        named = contest_id(contest, year)
    elif not named and by_id:
        named = by_id.contest.upper()
    parts = _CONTEST_ID.fullmatch(named)
    if parts is None or not number or len(named) > _LONGEST_CONTEST:
        raise RowRefusedError(
            "problem_unnamed",
            gettext_noop("The row does not say which problem of which contest it is."),
        )
    joined = _JOINED.fullmatch(parts[1])
    spaced = f"{joined[1]} {joined[2]}" if joined else parts[1]
    if not contest or len(contest) > _LONGEST_CONTEST:
        contest = spaced
    return named, contest, year or int(parts[2]), number


def _text(value: Any) -> str:
    return storable_text((read_text(value) or "").strip(WHITE_SPACE))


def _write(entries: Sequence[_Entry], file_import: FileImport, table: str) -> Counts:
    """Create and update the problems of the entries, with history."""
    counts = Counts()
    contests = {entry.key.contest for entry in entries}
    problems: dict[ProblemKey, Problem] = {
        ProblemKey(problem.contest_id.lower(), problem.number): problem
        for problem in Problem.objects.alias(lower=Lower("contest_id"))
        .filter(lower__in=contests, number__in={entry.key.number for entry in entries})
        .select_for_update()
    }
    edited = _edited_here(problems.values())
    new: dict[ProblemKey, Problem] = {}
    changed: dict[ProblemKey, Problem] = {}
    for entry in entries:
        problem = problems.get(entry.key)
        if problem is None:
            problem = problems[entry.key] = new[entry.key] = Problem(
                contest_id=entry.contest_id, number=entry.key.number
            )
            _merge(problem, entry)
            counts.imported += 1
            file_import.became(table, entry.line, RowStatus.NEW)
        elif problem.pk not in edited and _merge(problem, entry):
            counts.updated += 1
            file_import.became(table, entry.line, RowStatus.UPDATED)
            if entry.key not in new:
                changed[entry.key] = problem
        else:
            counts.unchanged += 1
    Problem.objects.bulk_create(new.values())
    Problem.objects.bulk_update(changed.values(), _FIELDS)
    _remember(list(new.values()), INSERTED, file_import)
    _remember(list(changed.values()), CHANGED, file_import)
    return counts


def _merge(problem: Problem, entry: _Entry) -> bool:
    """Take over what the entry says; whether that changed anything.

    Of a problem that the newer shape describes, the older one fills only what is missing.
    """
    before = {name: getattr(problem, name) for name in _FIELDS}
    counts = entry.is_newer_shape or not problem.choice_answer
    for name in ("year", "contest", "difficulty", "topics"):
        value = getattr(entry, name)
        if value and (counts or not getattr(problem, name)):
            setattr(problem, name, list(value) if name == "topics" else value)
    problem.choice_answer = entry.choice_answer or problem.choice_answer
    problem.answer_key = entry.answer_key or problem.answer_key
    problem.correct_answer = problem.choice_answer or problem.answer_key
    if entry.external_id and entry.external_id not in problem.external_ids:
        problem.external_ids = [*problem.external_ids, entry.external_id]
    return any(getattr(problem, name) != value for name, value in before.items())


def _edited_here(problems: Any) -> set[int]:
    """Problems whose newest change is not an import's."""
    newest: dict[int, str] = {}
    entries = Problem.history.filter(id__in=[problem.pk for problem in problems])
    for pk, reason in entries.order_by("history_date", "history_id").values_list(
        "id", "history_change_reason"
    ):
        newest[pk] = reason or ""
    return {pk for pk, reason in newest.items() if not reason.startswith(_REASON)}


def _remember(problems: Sequence[Problem], kind: str, file_import: FileImport) -> None:
    legacy_import, cursor = file_import.legacy_import, file_import.cursor
    pks = [problem.pk for problem in problems]
    given = transfer_keys(cursor, Problem, pks, [None] * len(pks))
    reason = f"{_REASON}{legacy_import.pk}"
    write_history(cursor, Problem, given, kind, reason, legacy_import.actor_id)
