"""What the documents of a batch refer to, in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, NullIf

from sessions_app.contests.problems import Bank
from sessions_app.contests.reading import ContestDocument, Unreadable, read_document
from sessions_app.legacy_imports.contests import CONTEST_USERS
from sessions_app.models import (
    ContestResult,
    LegacyIdentity,
    ProblemAttempt,
    Session,
)
from sessions_app.selectors.contest_bank import bank_of


class Person(NamedTuple):
    """A user of the old system: the id that the users file gives, and the account."""

    legacy_id: str
    account: int


class Taken(NamedTuple):
    """A session that has a public id already. ``username`` is null where it is no contest."""

    pk: int
    username: str | None


@dataclass(slots=True)
class Carried:
    """What a document became when it was carried over."""

    session: Session
    result: ContestResult
    attempts: list[ProblemAttempt]
    edited: list[str]  # what people changed since, in words


@dataclass(slots=True)
class ContestContext:
    """What ``transform`` is told beside the row; documents are read once, by key of the row."""

    documents: Mapping[int, ContestDocument | Unreadable] = field(default_factory=dict)
    bank: Bank = field(default_factory=Bank)
    by_username: Mapping[str, Person] = field(default_factory=dict)
    by_legacy_id: Mapping[str, Person] = field(default_factory=dict)
    # of documents with the same public id: key of the row → the user of the first of them
    first_users: Mapping[int, str] = field(default_factory=dict)
    # key of the row → whether the same user has an earlier document of that id
    repeated: frozenset[int] = frozenset()
    taken: Mapping[str, Taken] = field(default_factory=dict)
    carried: Mapping[int, Carried] = field(default_factory=dict)


def context_of(rows: Sequence[Any]) -> ContestContext:
    """Everything that the rows' documents refer to."""
    documents = {row.pk: _read(row.document) for row in rows}
    readable = {pk: found for pk, found in documents.items() if isinstance(found, ContestDocument)}
    context = ContestContext(documents)
    context.bank = bank_of(readable.values())
    context.by_username, context.by_legacy_id = _people(readable.values())
    context.first_users, context.repeated = _namesakes(rows)
    context.taken = _taken(row for row in rows if row.pk in readable)
    context.carried = _carried({row.session_id: row.pk for row in rows if row.session_id})
    return context


def _read(document: Any) -> ContestDocument | Unreadable:
    try:
        return read_document(document)
    except Unreadable as unreadable:
        return unreadable


def shared_id(session_ref: str, username: str) -> str:
    """The public id of a session whose own id belongs to another user."""
    return f"{session_ref}~{username}"


def public_ref(row: Any) -> str:
    """What the document calls itself; its key in staging where it does not say."""
    return str(row.session_ref or row.key)


# ----------------------------------------------------------------------------------------- people


def _people(
    documents: Iterable[ContestDocument],
) -> tuple[dict[str, Person], dict[str, Person]]:
    """People of the users file by name and by id; of one name's several the first imported."""
    names = {document.username for document in documents}
    refs = {document.user_ref for document in documents} - {""}
    found = (
        LegacyIdentity.objects.filter(kind=CONTEST_USERS)
        .annotate(named=Coalesce(NullIf(F("username"), Value("")), F("user__username")))
        .filter(Q(named__in=names) | Q(legacy_id__in=refs))
        .order_by("-pk")
        .values_list("named", "legacy_id", "user_id")
    )
    by_username: dict[str, Person] = {}
    by_legacy_id: dict[str, Person] = {}
    for named, legacy_id, account in found:
        by_username[named] = by_legacy_id[legacy_id] = Person(legacy_id, account)
    return by_username, by_legacy_id


# ------------------------------------------------------------------------------------- public ids

# Documents that are no session claim no id.
_NAMESAKES: Final = """
    SELECT id, coalesce(nullif(session_ref, ''), key), username
    FROM sessions_app_legacycontestsession
    WHERE (session_ref = ANY(%(refs)s) OR session_ref = '' AND key = ANY(%(refs)s))
      AND username <> ''
      AND jsonb_typeof(document -> 'problems_attempted') = 'array'
    ORDER BY id
"""


def _namesakes(rows: Sequence[Any]) -> tuple[dict[int, str], frozenset[int]]:
    """Whose the first document of each row's public id is, and which rows repeat a user's own.

    Told by the order of staging, so that it depends neither on batches nor on options.
    """
    refs = list({public_ref(row) for row in rows})
    first: dict[str, str] = {}
    owners: set[tuple[str, str]] = set()
    repeated: set[int] = set()
    with connection.cursor() as cursor:
        cursor.execute(_NAMESAKES, {"refs": refs})
        for pk, ref, username in cursor.fetchall():
            first.setdefault(ref, username)
            if (ref, username) in owners:
                repeated.add(pk)
            owners.add((ref, username))
    users = {row.pk: first[public_ref(row)] for row in rows if public_ref(row) in first}
    return users, frozenset(repeated)


def _taken(rows: Iterable[Any]) -> dict[str, Taken]:
    """Sessions that have one of the public ids that the rows may be given."""
    wanted = [
        public_id
        for row in rows
        for public_id in (public_ref(row), shared_id(public_ref(row), row.username))
    ]
    found = Session.objects.filter(session_id__in=wanted)
    return {
        public_id: Taken(pk, username)
        for public_id, pk, username in found.values_list(
            "session_id", "pk", "contest_result__username"
        )
    }


# ------------------------------------------------------------------------- what was carried over


def _carried(links: Mapping[int, int]) -> dict[int, Carried]:
    """By key of the row, the session that an earlier run made of it, and whether it was edited."""
    if not links:
        return {}
    sessions = Session.objects.in_bulk(list(links))
    results = {found.session_id: found for found in ContestResult.objects.filter(session__in=links)}
    by_result: dict[int, list[ProblemAttempt]] = defaultdict(list)
    result_pks = [result.pk for result in results.values()]
    for attempt in ProblemAttempt.objects.filter(result__in=result_pks).order_by("position"):
        by_result[attempt.result_id].append(attempt)
    edited = _edited(list(links), result_pks)
    carried = {}
    for pk, result in results.items():
        attempts = by_result[result.pk]
        if len(attempts) != result.performance_metrics.get("total_attempted"):
            edited[pk].append("the list of attempts")
        carried[links[pk]] = Carried(sessions[pk], result, attempts, edited[pk])
    return carried


# The newest change of each row, and the newest that a run made: where they differ in what a run
# writes, a person changed it.
_EDITED: Final = """
    WITH newest AS (
        SELECT DISTINCT ON (h.id) h.id, h.history_type AS type, {session} AS session_id,
            coalesce(h.history_change_reason, '') LIKE 'run %%' AS by_run,
            to_jsonb(h) {ignored} AS values
        FROM {history} h {join}
        ORDER BY h.id, h.history_id DESC
    ),
    ours AS (
        SELECT DISTINCT ON (h.id) h.id, to_jsonb(h) {ignored} AS values
        FROM {history} h JOIN newest n ON n.id = h.id AND NOT n.by_run
        WHERE h.history_change_reason LIKE 'run %%'
        ORDER BY h.id, h.history_id DESC
    )
    SELECT n.session_id, '{what}' FROM newest n LEFT JOIN ours o ON o.id = n.id
    WHERE NOT n.by_run AND (n.type = '-' OR o.values IS DISTINCT FROM n.values)
"""
_META: Final = "- ARRAY['history_id', 'history_date', 'history_change_reason', 'history_type', "
_HISTORIES: Final = (
    _EDITED.format(
        what="the session",
        history="sessions_app_historicalsession",
        session="h.id",
        join="WHERE h.id = ANY(%(sessions)s)",
        ignored=_META
        + "'history_user_id', 'title', 'description', 'updated_at', 'project_id', 'metadata']",
    ),
    _EDITED.format(
        what="the result",
        history="sessions_app_historicalcontestresult",
        session="h.session_id",
        join="WHERE h.id = ANY(%(results)s)",
        ignored=_META + "'history_user_id']",
    ),
    _EDITED.format(
        what="an attempt",
        history="sessions_app_historicalproblemattempt",
        session="r.session_id",
        join="JOIN sessions_app_contestresult r ON r.id = h.result_id "
        "WHERE h.id = ANY(SELECT id FROM sessions_app_problemattempt "
        "WHERE result_id = ANY(%(results)s))",
        ignored=_META + "'history_user_id']",
    ),
)


def _edited(sessions: list[int], results: list[int]) -> dict[int, list[str]]:
    """By session, what people changed of what a run wrote."""
    edited: dict[int, list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        for statement in _HISTORIES:
            cursor.execute(statement, {"sessions": sessions, "results": results})
            for session, what in cursor.fetchall():
                if what not in edited[session]:
                    edited[session].append(what)
    return edited
