"""Issued actions and locked sessions, against every way round them (guarantees.md "Immutable")."""

from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from guarantees.models import ActionStatus, ActionType, GuaranteeAction
from migrations_tools.states import Operation, RunKind
from tests.guarantees.factories import (
    NOON,
    ActionSessionFactory,
    GuaranteeActionFactory,
    journal,
    run,
)

pytestmark = pytest.mark.django_db

TABLE = GuaranteeAction._meta.db_table
LOCKED = "is issued and locked"


def execute(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def save(action: GuaranteeAction) -> None:
    action.notes = "changed"
    action.save()


def update(action: GuaranteeAction) -> None:
    GuaranteeAction.objects.filter(pk=action.pk).update(notes="changed")


def bulk_update(action: GuaranteeAction) -> None:
    action.notes = "changed"
    GuaranteeAction.objects.bulk_update([action], ["notes"])


def update_by_sql(action: GuaranteeAction) -> None:
    execute(f"UPDATE {TABLE} SET notes = 'changed' WHERE id = %s", action.pk)


def unlock_by_sql(action: GuaranteeAction) -> None:
    execute(
        f"UPDATE {TABLE} SET status = 'draft', is_locked = false, issued_at = NULL WHERE id = %s",
        action.pk,
    )


def update_as_replica(action: GuaranteeAction) -> None:
    execute("SET LOCAL session_replication_role = replica")
    update_by_sql(action)


def upsert(action: GuaranteeAction) -> None:
    GuaranteeAction.objects.bulk_create(
        [action], update_conflicts=True, unique_fields=["id"], update_fields=["notes"]
    )


def delete(action: GuaranteeAction) -> None:
    action.delete()


def delete_by_queryset(action: GuaranteeAction) -> None:
    GuaranteeAction.objects.filter(pk=action.pk).delete()


def delete_by_sql(action: GuaranteeAction) -> None:
    execute(f"DELETE FROM {TABLE} WHERE id = %s", action.pk)


def delete_behind_a_temporary_journal(action: GuaranteeAction) -> None:
    """Tables of the session's own, which would come first on an ordinary search path."""
    apply, rollback = run(), run(RunKind.ROLLBACK)
    execute("CREATE TEMP TABLE migrations_tools_run (LIKE migrations_tools_run)")
    execute("CREATE TEMP TABLE migrations_tools_rowchange (LIKE migrations_tools_rowchange)")
    execute(
        "INSERT INTO pg_temp.migrations_tools_run "
        "SELECT * FROM public.migrations_tools_run WHERE id = ANY(%s)",
        [apply.pk, rollback.pk],
    )
    execute("UPDATE pg_temp.migrations_tools_run SET parent_id = %s", apply.pk)
    for entry_of, operation in ((apply, "insert"), (rollback, "delete")):
        execute(
            "INSERT INTO pg_temp.migrations_tools_rowchange "
            "(id, run_id, batch_id, step, model, pk_text, operation, transaction_id, digest) "
            "VALUES (1, %s, 1, 0, 'guarantees.guaranteeaction', %s, %s, pg_current_xact_id(), '')",
            entry_of.pk,
            str(action.pk),
            operation,
        )
    delete_by_sql(action)


@pytest.mark.parametrize(
    "way_round",
    [
        save,
        update,
        bulk_update,
        update_by_sql,
        unlock_by_sql,
        update_as_replica,
        upsert,
        delete,
        delete_by_queryset,
        delete_by_sql,
        delete_behind_a_temporary_journal,
    ],
)
def test_a_locked_action_can_be_neither_changed_nor_deleted(way_round):
    action = GuaranteeActionFactory.create(issued=True, notes="as issued")

    with pytest.raises(IntegrityError, match=LOCKED), transaction.atomic():
        way_round(action)

    action.refresh_from_db()
    assert (action.notes, action.status) == ("as issued", ActionStatus.ISSUED)


@pytest.mark.parametrize("table", [TABLE, "guarantees_guarantee", "guarantees_actionsession"])
def test_truncate_is_refused(table):
    with pytest.raises(IntegrityError, match="cannot be truncated"), transaction.atomic():
        execute(f"TRUNCATE {table} CASCADE")


def test_a_draft_can_be_edited_and_deleted():
    draft = GuaranteeActionFactory.create()
    save(draft)
    update(draft)
    draft.refresh_from_db()
    assert draft.notes == "changed"
    draft.delete()
    assert not GuaranteeAction.objects.exists()


def test_issuing_sets_status_lock_and_time_at_once():
    draft = GuaranteeActionFactory.create()
    drafts = GuaranteeAction.objects.filter(pk=draft.pk)

    for part in (
        {"status": ActionStatus.ISSUED},
        {"is_locked": True},
        {"issued_at": NOON},
        {"status": ActionStatus.ISSUED, "is_locked": True},
    ):
        with (
            pytest.raises(IntegrityError, match="action_issued_means_locked"),
            transaction.atomic(),
        ):
            drafts.update(**part)

    assert drafts.update(status=ActionStatus.ISSUED, is_locked=True, issued_at=NOON) == 1


def test_the_rollback_of_the_run_that_inserted_it_takes_an_action_away():
    action = GuaranteeActionFactory.create(issued=True)
    apply = run()
    journal(apply, Operation.INSERT, action)
    journal(run(RunKind.ROLLBACK, parent=apply), Operation.DELETE, action)

    delete_by_sql(action)

    assert not GuaranteeAction.objects.filter(pk=action.pk).exists()


def test_not_even_a_rollback_changes_an_action():
    action = GuaranteeActionFactory.create(issued=True)
    apply = run()
    journal(apply, Operation.INSERT, action)
    journal(run(RunKind.ROLLBACK, parent=apply), Operation.DELETE, action)

    with pytest.raises(IntegrityError, match=LOCKED), transaction.atomic():
        update_by_sql(action)


@pytest.mark.parametrize(
    ("made", "undone", "kind", "of_parent"),
    [
        (None, Operation.DELETE, RunKind.ROLLBACK, True),  # made by hand
        (Operation.UPDATE, Operation.DELETE, RunKind.ROLLBACK, True),
        (Operation.INSERT, None, RunKind.ROLLBACK, True),  # the journal comes first
        (Operation.INSERT, Operation.UPDATE, RunKind.ROLLBACK, True),
        (Operation.INSERT, Operation.DELETE, RunKind.ROLLBACK, False),  # of another run
        (Operation.INSERT, Operation.DELETE, RunKind.APPLY, True),
    ],
)
def test_nothing_less_than_that_rollback_takes_it_away(made, undone, kind, of_parent):
    action = GuaranteeActionFactory.create(issued=True)
    apply = run()
    undoing = run(kind, parent=apply if of_parent else run())
    if made:
        journal(apply, made, action)
    if undone:
        journal(undoing, undone, action)

    with pytest.raises(IntegrityError, match=LOCKED), transaction.atomic():
        delete_by_sql(action)


@pytest.mark.django_db(transaction=True)
def test_a_delete_entry_of_an_earlier_transaction_opens_nothing():
    action = GuaranteeActionFactory.create(issued=True)
    apply = run()
    journal(apply, Operation.INSERT, action)
    rollback = run(RunKind.ROLLBACK, parent=apply)
    journal(rollback, Operation.DELETE, action)

    with pytest.raises(IntegrityError, match=LOCKED), transaction.atomic():
        delete_by_sql(action)

    with transaction.atomic():  # savepoints do not hide it
        journal(rollback, Operation.DELETE, action)
        with transaction.atomic():
            delete_by_sql(action)
    assert not GuaranteeAction.objects.exists()


class TestLockedSession:
    def test_it_takes_no_new_action(self):
        session = ActionSessionFactory.create(is_locked=True)
        with pytest.raises(IntegrityError, match="takes no new"), transaction.atomic():
            GuaranteeActionFactory.create(session=session)

    def test_its_drafts_are_neither_changed_moved_nor_deleted(self):
        session = ActionSessionFactory.create()
        draft = GuaranteeActionFactory.create(session=session)
        outside = GuaranteeActionFactory.create()
        session.is_locked = True
        session.save()

        for change in (save, update, delete_by_sql):
            with pytest.raises(IntegrityError, match="is locked"), transaction.atomic():
                change(draft)
        for action, target in ((draft, None), (outside, session)):
            with pytest.raises(IntegrityError, match="is locked"), transaction.atomic():
                GuaranteeAction.objects.filter(pk=action.pk).update(session=target)

    def test_it_stays_locked(self):
        session = ActionSessionFactory.create(is_locked=True, total_actions=2, issued_actions=2)
        for change in ({"is_locked": False}, {"day": "2025-06-01"}):
            with pytest.raises(IntegrityError, match="is locked"), transaction.atomic():
                type(session).objects.filter(pk=session.pk).update(**change)
        with pytest.raises(IntegrityError, match="is locked"), transaction.atomic():
            session.delete()

    def test_an_open_one_for_the_day_may_stand_beside_it(self):
        ActionSessionFactory.create(is_locked=True)
        ActionSessionFactory.create(is_locked=True)
        ActionSessionFactory.create()
        with pytest.raises(IntegrityError, match="one_open_session_per_day"), transaction.atomic():
            ActionSessionFactory.create()

    @pytest.mark.django_db(transaction=True)
    def test_locking_waits_for_an_action_that_is_being_added(self):
        session = ActionSessionFactory.create()
        guarantee = GuaranteeActionFactory.create().guarantee
        order = []

        def lock() -> None:
            type(session).objects.filter(pk=session.pk).update(is_locked=True)
            order.append("locked")
            connection.close()

        with transaction.atomic():
            GuaranteeActionFactory.create(guarantee=guarantee, session=session)
            locking = Thread(target=lock)
            locking.start()
            locking.join(0.3)
            order.append("added")
        locking.join()
        assert order == ["added", "locked"]


def test_the_database_notes_the_transaction_that_issues_a_modification():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (here,) = cursor.fetchone()
    modification = GuaranteeActionFactory.create(
        action_type=ActionType.MODIFICATION, reason="typing error", issued=True, issued_in=1
    )
    extension = GuaranteeActionFactory.create(issued=True)
    for action in (modification, extension):
        action.refresh_from_db()
    assert (modification.issued_in, extension.issued_in) == (here, None)
