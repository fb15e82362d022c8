"""A coding platform of two years: people start sessions, invite others and upload files."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from sessions_app.legacy_generators.collaboration_defects import (
    Row,
    spoil_row,
    spoil_session,
)

_FIRST_DAY: Final = datetime(2024, 1, 7, 6, tzinfo=UTC)
_SPAN: Final = timedelta(days=700)
_ROWS_PER_SESSION: Final = 6
_AT_ONCE: Final = 200  # rows of sessions that run beside each other in the file

_NAMES: Final = (
    "ahmad", "sara", "khalid", "noura", "yousef", "layla", "omar", "huda", "faisal", "mona",
    "james", "anna", "peter", "lucy", "tom", "grace", "ivan", "chen", "maria", "diego",
)  # fmt: skip
_DOMAINS: Final = ("example.com", "example.org", "mail.example.com", "dev.example.net")
_TITLES: Final = (
    "Pair programming", "Sprint review", "Bug hunt", "Data pipeline", "مراجعة الكود",
    "جلسة برمجة مشتركة", "Interview", "Hackathon “winter”", "تطوير واجهة المستخدم", "API design",
)  # fmt: skip
_ABOUT: Final = (None, "", "Weekly", "see the board, column 2", "نناقش المهام المتبقية")
_FILES: Final = ("main.py", "index.html", "notes.md", "data.csv", "مخطط.pdf", "design (2).fig")
_WORDS: Final = (*("edit",) * 5, *("view",) * 3, "editor", "viewer", "Edit ", "admin")


class Platform:
    """``rows`` documents in about ``rows / 6`` sessions; the same seed gives the same rows.

    ``defects`` is the share of rows with a fault. Memory does not grow with ``rows``.
    """

    def __init__(self, *, rows: int, seed: int, defects: float) -> None:
        self._rows = rows
        self._defects = defects
        self._rng = Random(seed)  # noqa: S311 - repeatable, not secret
        self._people = max(20, min(5_000, rows // 40))
        self._made = 0

    def documents(self) -> Iterator[dict[str, Any]]:
        """Documents as an export has them: sessions that ran beside each other are mixed."""
        waiting: list[Row] = []
        for rows in self._sessions():
            waiting += rows
            if len(waiting) > _AT_ONCE:
                self._rng.shuffle(waiting)
                while len(waiting) > _AT_ONCE // 2:
                    yield self._exported(waiting.pop())
        self._rng.shuffle(waiting)
        yield from map(self._exported, waiting)

    def _sessions(self) -> Iterator[list[Row]]:
        rng, step = self._rng, _SPAN * _ROWS_PER_SESSION / max(self._rows, _ROWS_PER_SESSION)
        left, now = self._rows, _FIRST_DAY
        while left:
            now += step * (0.5 + rng.random())
            rows = self._session(now, min(left, 1 + int(rng.random() * (2 * _ROWS_PER_SESSION))))
            left -= len(rows)
            if rng.random() < self._defects:
                spoil_session(rows, rng)
            for row in rows:
                if rng.random() < self._defects:
                    spoil_row(row, rng)
            yield rows

    def _session(self, now: datetime, size: int) -> list[Row]:
        """A creation row, then invitations and uploads of the people who are there."""
        rng = self._rng
        owner = self._person()
        people = [owner]
        session_id = self._session_id(now)
        text = {"name": self._one_of(_TITLES), "description": self._one_of(_ABOUT)}
        rows = [self._row(now, session_id, email=owner, **text, access="edit")]
        while len(rows) < size:
            now += timedelta(minutes=1 + int(rng.random() * 3000))
            if rng.random() < 0.3:
                name = self._one_of(_FILES)
                path = f"mongodb://{session_id}" if rng.random() < 0.5 else f"/srv/files/{name}"
                uploader = people[int(rng.random() * len(people))]
                rows.append(
                    self._row(
                        now, session_id, email=uploader, access="edit",
                        file_name=name, file_path=path,
                    )
                )  # fmt: skip
            else:
                invitee = self._person()
                inviter = owner if rng.random() < 0.8 else people[int(rng.random() * len(people))]
                if invitee in people:
                    continue
                people.append(invitee)
                rows.append(
                    self._row(
                        now, session_id, email=inviter, invited_email=invitee, **text,
                        access=self._one_of(_WORDS),
                    )
                )  # fmt: skip
        return rows

    def _row(self, at: datetime, session_id: str, **values: Any) -> Row:
        """A document with its time; ``at`` is in its ObjectId too."""
        self._made += 1
        row_id = f"{int(at.timestamp()):08x}{self._rng.getrandbits(40):010x}{self._made:06x}"
        kept = {name: value for name, value in values.items() if value is not None}
        return {"_id": row_id, **kept, "session_id": session_id, "uploaded_at": at}

    def _exported(self, row: Row) -> dict[str, Any]:
        """In one of the forms of Extended JSON that exports have."""
        form = int(self._rng.random() * 3)
        row_id, at = row["_id"], row.get("uploaded_at")
        if isinstance(row_id, str) and len(row_id) == 24:
            row["_id"] = {"$oid": row_id}
        if isinstance(at, datetime):
            millis = int(at.timestamp() * 1000)
            text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            row["uploaded_at"] = {"$date": (text, {"$numberLong": str(millis)}, millis)[form]}
        session_id = row.get("session_id")
        if isinstance(session_id, int) and not isinstance(session_id, bool) and form:
            row["session_id"] = {"$numberInt": str(session_id)}
        return row

    def _session_id(self, now: datetime) -> str:
        kind = self._rng.random()
        if kind < 0.9:
            return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        if kind < 0.95:
            return f"debug-hierarchy-{int(now.timestamp() * 1000)}"
        return f"s-{self._made:04}"

    def _person(self) -> str:
        number = int(self._rng.random() * self._people)
        name = _NAMES[number % len(_NAMES)]
        suffix = number // len(_NAMES) or ""
        return f"{name}{suffix}@{_DOMAINS[number % len(_DOMAINS)]}"

    def _one_of(self, values: tuple[Any, ...]) -> Any:
        return values[int(self._rng.random() * len(values))]
