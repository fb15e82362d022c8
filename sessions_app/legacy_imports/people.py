"""Files of people: who worked with a legacy system (SPEC §3 "Imports").

A person becomes an inactive account that nobody can log in to, never staff and never superuser,
and is remembered by (kind, legacy id). Only a `LegacyIdentity` says that an account that is there
already is that person: neither the e-mail address nor the user name does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import connection
from django.utils.translation import gettext_noop

from migrations_tools.engine.history import CHANGED, INSERTED, write_history
from migrations_tools.engine.transfer import transfer_keys
from migrations_tools.imports.preview import RowStatus
from migrations_tools.imports.readers.base import Record, SourceTable
from migrations_tools.imports.tables import Counts, FileImport, ImportTable, RowRefusedError
from migrations_tools.imports.values import DoesNotFitError, converter
from migrations_tools.text import storable_text
from sessions_app.models import LegacyIdentity, Profile, Role

#: Field → legacy names of its column. A record has some of them.
COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "id": ("id", "_id", "user_id"),
    "username": ("username", "user_name", "login"),
    "name": ("name", "full_name", "display_name"),
    "first_name": ("first_name", "firstname"),
    "last_name": ("last_name", "lastname"),
    "email": ("email", "email_address", "mail"),
    "is_active": ("is_active", "active"),
    "role": ("role",),
    "specialization": ("specialization",),
    "credit_balance": ("credit_balance", "credits"),
}

_CHUNK: Final = 1_000  # people
_REASON: Final = "import "  # and the id of the import: the reason of history rows
_NOT_IN_USERNAMES: Final = re.compile(r"[^\w.@+-]+")  # what Django's own validator refuses
_USERNAME_LENGTH: Final = 150
_SUFFIX_LENGTH: Final = 10
_ID_LENGTH: Final = 255
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")

_TRUTH: Final = {"1": True, "true": True, "t": True, "0": False, "false": False, "f": False}

_text_id = converter(LegacyIdentity._meta.get_field("legacy_id"))
_credits = converter(Profile._meta.get_field("credit_balance"))


@dataclass(frozen=True)
class _Person:
    """What a record says of a person. The mappings are values by field name."""

    legacy_id: str
    wanted_name: str
    identity: Mapping[str, Any]
    account: Mapping[str, str]
    profile: Mapping[str, Any]
    line: int = field(compare=False)


class PeopleTable(ImportTable):
    """Records become accounts, remembered under ``kind``; with a profile where ``profiles``.

    An account that was made so and that nobody has taken into use is kept up to date with the
    file; one that is active, has a password or more rights stays as it is. Of a profile, what
    somebody changed here stays. Rejected are records without a usable id (``id_missing``,
    ``invalid_id``) and a second record of one id with other values (``duplicate_key``). Other
    values that do not fit are left out. ``read_id`` says how ids are written where others refer
    to them; None where it does not know.
    """

    def __init__(
        self,
        name: str,
        *,
        kind: str,
        profiles: bool,
        read_id: Callable[[Any], str | None] | None = None,
        other_names: Sequence[str] = (),
    ) -> None:
        super().__init__(name, columns=COLUMNS, other_names=other_names)
        self._kind = kind
        self._profiles = profiles
        self._read_id = read_id

    def load(self, source: SourceTable, file_import: FileImport) -> Counts:
        # names are given once, whichever kinds are imported side by side
        file_import.cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('people', 0))")
        counts = Counts()
        people = self._people(source, file_import, counts)
        while chunk := list(islice(people, _CHUNK)):
            counts += self._write(chunk, file_import)
            file_import.flush()
        return counts

    def _people(
        self, source: SourceTable, file_import: FileImport, counts: Counts
    ) -> Iterator[_Person]:
        """Each person once; repetitions are counted or rejected."""
        seen: dict[str, _Person] = {}
        for record in file_import.rows(source, self.name):
            if record is None:
                continue
            try:
                person = self._person(record)
                if seen.setdefault(person.legacy_id, person) != person:
                    raise RowRefusedError(
                        "duplicate_key",
                        gettext_noop("A row of the same id, with other values, comes before."),
                    )
            except RowRefusedError as refusal:
                file_import.refuse(self.name, record, refusal)
                continue
            if seen[person.legacy_id] is person:
                yield person
            else:
                counts.unchanged += 1

    def _person(self, record: Record) -> _Person:
        values: dict[str, Any] = {}
        for column, filled in self.fields_of(record.values):
            if filled is not None and record.values[column] not in (None, ""):
                values.setdefault(filled, record.values[column])
        given = values.get("id")
        known = self._read_id(given) if self._read_id else None
        legacy_id = _legacy_id(given if known is None else known)
        account = _account(values)
        name = " ".join((account["first_name"], account["last_name"])).strip()
        wanted = _text(values.get("username")) or account["email"].partition("@")[0] or name
        return _Person(
            legacy_id=legacy_id,
            wanted_name=_username(wanted) or _username(f"{self._kind}-{legacy_id}"),
            identity={
                "username": _text(values.get("username") or values.get("name"), 255),
                "was_active": _truth(values.get("is_active")),
            },
            account=account,
            profile=_profile(values) if self._profiles else {},
            line=record.line,
        )

    def _write(self, people: Sequence[_Person], file_import: FileImport) -> Counts:
        """Make the accounts that are missing, bring dormant ones up to date."""
        identities = LegacyIdentity.objects.filter(
            kind=self._kind, legacy_id__in=[person.legacy_id for person in people]
        ).select_related("user")
        found = {identity.legacy_id: identity for identity in identities}
        new = [person for person in people if person.legacy_id not in found]
        known = [
            (person, found[person.legacy_id].user) for person in people if person.legacy_id in found
        ]
        made = self._make(new)
        changed = _update_identities(people, found) | _update_accounts(known)
        if self._profiles:
            changed |= _write_profiles([*made, *known], file_import)
        counts = Counts(imported=len(made))
        counts.updated = sum(1 for _, account in known if account.pk in changed)
        counts.unchanged = len(known) - counts.updated
        for person, _ in made:
            file_import.became(self.name, person.line, RowStatus.NEW)
        for person, account in known:
            status = RowStatus.UPDATED if account.pk in changed else RowStatus.UNCHANGED
            file_import.became(self.name, person.line, status)
        return counts

    def _make(self, people: Sequence[_Person]) -> list[tuple[_Person, User]]:
        names = _free_names([person.wanted_name for person in people])
        accounts = User.objects.bulk_create(
            User(
                username=name,
                password=make_password(None),
                is_active=False,
                is_staff=False,
                is_superuser=False,
                **person.account,
            )
            for person, name in zip(people, names, strict=True)
        )
        pairs = list(zip(people, accounts, strict=True))
        LegacyIdentity.objects.bulk_create(
            LegacyIdentity(
                kind=self._kind, legacy_id=person.legacy_id, user=account, **person.identity
            )
            for person, account in pairs
        )
        return pairs


# ------------------------------------------------------------------------------- what a file says


def _legacy_id(value: Any) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise RowRefusedError("id_missing", gettext_noop("The row has no id."))
    try:
        return str(_text_id(value.strip() if isinstance(value, str) else value))
    except DoesNotFitError:
        raise RowRefusedError(
            "invalid_id",
            gettext_noop("The id is no text or number of up to %(id_length)s characters.")
            % {"id_length": _ID_LENGTH},
        ) from None


def _text(value: Any, length: int | None = None) -> str:
    """``value`` as text with single spaces, cut to ``length``; blank where it is no scalar."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    return " ".join(storable_text(str(value)).split())[:length]


def _truth(value: Any) -> bool | None:
    """A boolean, however it is written; None where it is none."""
    return _TRUTH.get(_text(int(value) if isinstance(value, bool) else value).casefold())


def _account(values: Mapping[str, Any]) -> dict[str, str]:
    """E-mail and names; a full name is cut at its first space."""
    first, last = _text(values.get("first_name"), 150), _text(values.get("last_name"), 150)
    if not first and not last:
        first, _, last = _text(values.get("name")).partition(" ")
    email = _text(values.get("email"))
    fits = len(email) <= 254 and _EMAIL.fullmatch(email)
    return {"first_name": first[:150], "last_name": last[:150], "email": email if fits else ""}


def _profile(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the profile that the file gives and the database can hold."""
    profile: dict[str, Any] = {}
    role = _text(values.get("role")).casefold()
    if role in Role.values:
        profile["role"] = role
    if "specialization" in values:
        profile["specialization"] = _text(values["specialization"], 255)
    try:
        credits_left = _credits(values.get("credit_balance"))
    except DoesNotFitError:
        return profile
    return {**profile, "credit_balance": credits_left} if credits_left >= 0 else profile


def _username(text: str) -> str:
    """``text`` as a user name, with room for a suffix; blank where nothing is left of it."""
    return _NOT_IN_USERNAMES.sub("-", text).strip("-")[: _USERNAME_LENGTH - _SUFFIX_LENGTH]


# ---------------------------------------------------------------------------------- what is written


def _free_names(wanted: Sequence[str]) -> list[str]:
    """For each wanted user name a free one: itself, or with the first free number after it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT username FROM auth_user WHERE username = ANY(%(wanted)s) "
            "OR regexp_replace(username, '-[0-9]+$', '') = ANY(%(wanted)s)",
            {"wanted": list(wanted)},
        )
        taken = {name for (name,) in cursor.fetchall()}
    candidates = {name: _numbered(name) for name in wanted}
    names = []
    for name in wanted:
        free = next(each for each in candidates[name] if each not in taken)
        taken.add(free)
        names.append(free)
    return names


def _numbered(name: str) -> Iterator[str]:
    yield name
    for number in count(2):
        yield f"{name}-{number}"


def _is_dormant(account: User) -> bool:
    """Whether the account is as imports make it: nobody uses it, it may do nothing."""
    return not (
        account.is_active
        or account.is_staff
        or account.is_superuser
        or account.last_login
        or account.has_usable_password()
    )


def _update_identities(people: Iterable[_Person], found: Mapping[str, LegacyIdentity]) -> set[int]:
    """Remember what the file says now; whose identities changed."""
    changed = []
    for person in people:
        identity = found.get(person.legacy_id)
        if identity is None or all(
            getattr(identity, name) == value for name, value in person.identity.items()
        ):
            continue
        for name, value in person.identity.items():
            setattr(identity, name, value)
        changed.append(identity)
    LegacyIdentity.objects.bulk_update(changed, ["username", "was_active"])
    return {identity.user_id for identity in changed}


def _update_accounts(known: Iterable[tuple[_Person, User]]) -> set[int]:
    """Bring dormant accounts up to date; the keys of those that changed."""
    changed = []
    for person, account in known:
        if _is_dormant(account) and any(
            getattr(account, name) != value for name, value in person.account.items()
        ):
            for name, value in person.account.items():
                setattr(account, name, value)
            changed.append(account)
    User.objects.bulk_update(changed, ["first_name", "last_name", "email"])
    return {account.pk for account in changed}


def _write_profiles(pairs: Sequence[tuple[_Person, User]], file_import: FileImport) -> set[int]:
    """Make profiles and bring those up to date that nobody has changed here; whose changed."""
    profiles = {
        profile.user_id: profile
        for profile in Profile.objects.filter(user__in=[account for _, account in pairs])
    }
    untouched = _last_changed_by_imports(profiles.values())
    made, changed = [], []
    for person, account in pairs:
        profile = profiles.get(account.pk)
        if profile is None:
            made.append(Profile(user=account, **person.profile))
        elif profile.pk in untouched and _is_dormant(account):
            different = {
                name: value
                for name, value in person.profile.items()
                if getattr(profile, name) != value
            }
            for name, value in different.items():
                setattr(profile, name, value)
            changed += [profile] if different else []
    Profile.objects.bulk_create(made)
    Profile.objects.bulk_update(changed, ["role", "specialization", "credit_balance"])
    for kind, written in ((INSERTED, made), (CHANGED, changed)):
        _remember(written, kind, file_import)
    return {profile.user_id for profile in (*made, *changed)}


def _last_changed_by_imports(profiles: Iterable[Profile]) -> set[int]:
    history = Profile.history.model
    newest: dict[int, str] = {}
    entries = history.objects.filter(id__in=[profile.pk for profile in profiles])
    for pk, reason in entries.order_by("history_date", "history_id").values_list(
        "id", "history_change_reason"
    ):
        newest[pk] = reason or ""
    return {pk for pk, reason in newest.items() if reason.startswith(_REASON)}


def _remember(profiles: Sequence[Profile], kind: str, file_import: FileImport) -> None:
    legacy_import, cursor = file_import.legacy_import, file_import.cursor
    pks = [profile.pk for profile in profiles]
    given = transfer_keys(cursor, Profile, pks, [None] * len(pks))
    reason = f"{_REASON}{legacy_import.pk}"
    write_history(cursor, Profile, given, kind, reason, legacy_import.actor_id)
