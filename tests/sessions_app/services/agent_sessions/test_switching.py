"""Switching a session's project: persisted, locked, checked before and after."""

import itertools
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from sessions_app.models import UNASSIGNED_ID, Profile, Project, ProjectSwitch, Session
from sessions_app.services.agent_sessions import (
    ConcurrentSwitch,
    InvalidValue,
    ProjectAmbiguous,
    ProjectInactive,
    ProjectNotFound,
    SessionAlreadyEnded,
    SwitchNotCompleted,
    assign_by_name,
    end_session,
    recover_session,
    switch_project,
    switching,
)
from sessions_app.services.agent_sessions.changes import require_open
from tests.sessions_app.factories import ProjectFactory, SessionFactory
from tests.sessions_app.services.agent_sessions.acting import NOON, at, at_once, by

pytestmark = pytest.mark.django_db


def project_of(session):
    return Session.objects.get(pk=session.pk).project


def execute(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_switch_moves_the_session_and_is_on_record(ann, session, alpha, beta):
    switched = switch_project(session, project=beta, reason="wrong one", now=at(1), **by(ann))
    assert switched.project == project_of(session) == beta
    record = ProjectSwitch.objects.get()
    assert (record.from_project, record.to_project, record.state) == (alpha, beta, "completed")
    assert (record.actor, record.surface, record.reason) == (ann, "api", "wrong one")
    assert record.started_at == record.finished_at == NOON + timedelta(hours=1)
    newest = session.history.first()
    assert (newest.project_id, newest.history_user) == (beta.pk, ann)
    assert newest.history_change_reason == "switch project (api): wrong one"


def test_who_switches_their_own_session_works_there_from_now_on(ann, clerk, session, alpha, beta):
    switch_project(session, project=beta, **by(ann))
    profile = Profile.objects.get(user=ann)
    assert profile.current_project == beta
    assert profile.history.first().history_user == ann
    switch_project(session, project=alpha, **by(clerk))
    assert Profile.objects.get(user=ann).current_project == beta
    assert not Profile.objects.filter(user=clerk).exists()


def test_a_switch_to_the_same_project_does_nothing(ann, session, alpha):
    assert switch_project(session, project=alpha, **by(ann)).project == alpha
    assert not ProjectSwitch.objects.exists()
    assert session.history.count() == 1


def test_an_ended_session_is_not_switched(ann, session, alpha, beta):
    end_session(session, **by(ann))
    with pytest.raises(SessionAlreadyEnded):
        switch_project(session, project=beta, **by(ann))
    with pytest.raises(SessionAlreadyEnded):
        assign_by_name(session, name="beta", **by(ann))
    assert project_of(session) == alpha


def test_a_switch_to_no_project_that_takes_sessions_is_refused(ann, session, alpha):
    archived = ProjectFactory.create(status="archived")
    for project, refusal in (
        (archived, ProjectInactive),
        (UNASSIGNED_ID, ProjectNotFound),
        ("00000000-0000-4000-8000-000000000009", ProjectNotFound),
    ):
        with pytest.raises(refusal):
            switch_project(session, project=project, **by(ann))
    assert project_of(session) == alpha
    assert not ProjectSwitch.objects.exists()


def test_a_reason_that_cannot_be_stored_is_refused(ann, session, alpha, beta):
    with pytest.raises(InvalidValue):
        switch_project(session, project=beta, reason="a\0b", **by(ann))
    assert project_of(session) == alpha
    assert not ProjectSwitch.objects.exists()


# ---------------------------------------------------------------------------------------- checks

DIVERTED = """
CREATE FUNCTION divert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;
CREATE TRIGGER divert BEFORE UPDATE ON sessions_app_session
    FOR EACH ROW EXECUTE FUNCTION divert();
"""


@pytest.mark.parametrize(
    "body",
    [
        "NEW.project_id := OLD.project_id; RETURN NEW;",
        "NEW.project_id := gen_random_uuid(); RETURN NEW;",
        "RETURN NULL;",
        "RAISE EXCEPTION 'not now';",
    ],
    ids=["another project", "no project", "nothing written", "refused by the database"],
)
def test_a_failed_post_check_restores_the_previous_project(ann, session, alpha, beta, body):
    connection.check_constraints()
    execute(DIVERTED.format(body=body))
    with pytest.raises(SwitchNotCompleted) as refusal:
        switch_project(session, project=beta, **by(ann))
    assert refusal.value.code == "SWITCH_NOT_COMPLETED"
    assert project_of(session) == alpha
    assert session.history.count() == 1
    assert not Profile.objects.filter(user=ann, current_project=beta).exists()
    record = ProjectSwitch.objects.get()
    assert (record.state, record.failure) == ("failed", "SWITCH_NOT_COMPLETED")


def test_what_changes_between_announcement_and_writing_is_seen(ann, session, alpha, beta):
    switch = announced(session, ann, beta)
    Project.objects.filter(pk=beta.pk).update(status="archived")
    with pytest.raises(ProjectInactive):
        carried_out(switch)
    switch.refresh_from_db()
    assert (switch.state, switch.failure) == ("failed", "PROJECT_INACTIVE")
    assert project_of(session) == alpha


def test_the_record_of_a_switch_is_kept_as_it_is(ann, session, beta):
    switch_project(session, project=beta, **by(ann))
    switches = ProjectSwitch.objects.all()
    with pytest.raises(IntegrityError, match="on record"), transaction.atomic():
        switches.update(reason="another")
    with pytest.raises(IntegrityError, match="on record"), transaction.atomic():
        switches.delete()
    connection.check_constraints()  # else it is refused for what is still to be checked
    with pytest.raises(IntegrityError, match="on record"), transaction.atomic():
        execute("TRUNCATE sessions_app_projectswitch")


# ----------------------------------------------------------------------------------------- crashes


class Crash(BaseException):
    """The process dies here."""


def dies_before_writing():
    """A clock whose second reading, in the second transaction, is the last thing it does."""
    readings = itertools.count()

    def now():
        if next(readings):
            raise Crash
        return NOON

    return now


@pytest.fixture
def interrupted(ann, session, beta):
    """What a process leaves that dies between announcement and commit."""
    with pytest.raises(Crash):
        switch_project(session, project=beta, now=dies_before_writing(), **by(ann))
    return ProjectSwitch.objects.open().get()


def test_a_crash_leaves_the_previous_project_and_an_open_record(session, interrupted, alpha):
    assert project_of(session) == alpha
    assert (interrupted.state, interrupted.finished_at) == ("started", None)


@pytest.mark.parametrize("name", ["Alpha", "Gamma"])
def test_the_next_switch_settles_an_interrupted_one(ann, session, interrupted, name):
    target, _made = Project.objects.get_or_create(name=name)
    switch_project(session, project=target, now=at(1), **by(ann))
    assert project_of(session) == target
    interrupted.refresh_from_db()
    assert (interrupted.state, interrupted.failure) == ("failed", "INTERRUPTED")
    assert interrupted.finished_at == NOON + timedelta(hours=1)
    assert not ProjectSwitch.objects.open().exists()


def test_a_recovery_settles_an_interrupted_switch(ann, session, alpha, interrupted):
    assert recover_session(**by(ann)).project == alpha
    assert not ProjectSwitch.objects.open().exists()


def test_an_end_settles_an_interrupted_switch(ann, session, interrupted):
    end_session(session, **by(ann))
    assert not ProjectSwitch.objects.open().exists()


#: A process that dies when it reads the clock under the lock, in its second transaction.
KILLED = """
import django; django.setup()
import itertools, os, signal, sys
from django.contrib.auth.models import User
from django.utils import timezone
from sessions_app.services.agent_sessions import find_session, switch_project
readings = itertools.count()
def now():
    if next(readings):
        os.kill(os.getpid(), signal.SIGKILL)
    return timezone.now()
_, session_id, project, user = sys.argv
user = User.objects.get(pk=user)
switch_project(
    find_session(session_id), project=project, acting_user=user, surface="command", now=now
)
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_process_holds_nobody_up(ann, session, alpha, beta, process_environment):
    arguments = [session.session_id, str(beta.pk), str(ann.pk)]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        env=process_environment,
        cwd=settings.BASE_DIR,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert project_of(session) == alpha
    interrupted = ProjectSwitch.objects.open().get()
    assert switch_until_free(session, project=beta, **by(ann)).project == beta
    states = dict(ProjectSwitch.objects.values_list("pk", "state"))
    assert states.pop(interrupted.pk) == "failed"
    assert list(states.values()) == ["completed"]


def switch_until_free(session, **values):
    """The server takes a moment to notice that the connection is gone."""
    give_up = time.monotonic() + 20
    while True:
        try:
            return switch_project(session, **values)
        except ConcurrentSwitch:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)


# -------------------------------------------------------------------------------------- concurrency


def announced(session, user, project):
    switch = switching._announce(
        session, project=project, may_move=require_open, reason="", at=NOON, **by(user)
    )
    assert switch is not None
    return switch


def carried_out(switch):
    switching._carry_out(switch, may_move=require_open, now=at(0))


@pytest.mark.django_db(transaction=True)
def test_a_session_that_somebody_has_locked_is_not_switched(ann, session, alpha, beta):
    with transaction.atomic():
        Session.objects.select_for_update(no_key=True).get(pk=session.pk)
        [refusal] = at_once(lambda: switch_project(session, project=beta, **by(ann)))
    assert isinstance(refusal, ConcurrentSwitch)
    assert refusal.code == "CONCURRENT_SWITCH_IN_PROGRESS"
    assert project_of(session) == alpha
    assert not ProjectSwitch.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_announced_switch_that_gets_no_lock_gives_up(ann, session, alpha, beta, monkeypatch):
    monkeypatch.setattr(switching, "_LOCK_TIMEOUT", "50ms")
    switch = announced(session, ann, beta)
    with transaction.atomic():
        Session.objects.select_for_update(no_key=True).get(pk=session.pk)
        [refusal] = at_once(lambda: carried_out(switch))
    assert isinstance(refusal, ConcurrentSwitch)
    switch.refresh_from_db()
    assert (switch.state, switch.failure) == ("failed", "CONCURRENT_SWITCH_IN_PROGRESS")
    assert project_of(session) == alpha


def test_a_switch_that_another_one_took_over_writes_nothing(ann, session, beta):
    slow = announced(session, ann, beta)
    gamma = ProjectFactory.create(name="Gamma")
    switch_project(session, project=gamma, **by(ann))
    with pytest.raises(ConcurrentSwitch):
        carried_out(slow)
    assert project_of(session) == gamma


def test_a_switch_whose_session_ended_meanwhile_says_so(ann, session, alpha, beta):
    slow = announced(session, ann, beta)
    end_session(session, **by(ann))
    with pytest.raises(SessionAlreadyEnded):
        carried_out(slow)
    assert project_of(session) == alpha


@pytest.mark.django_db(transaction=True)
def test_of_many_switches_at_once_one_at_a_time_goes_through(ann, session, alpha):
    projects = [ProjectFactory.create() for _ in range(6)]
    for _round in range(5):
        before = project_of(session)
        newest = ProjectSwitch.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        answers = at_once(
            *(
                lambda project=project: switch_project(
                    Session.objects.get(pk=session.pk), project=project, **by(ann)
                )
                for project in projects
            )
        )
        assert all(isinstance(answer, Session | ConcurrentSwitch) for answer in answers)
        assert any(isinstance(answer, Session) for answer in answers)
        went_through = list(
            ProjectSwitch.objects.filter(pk__gt=newest, state="completed").order_by("pk")
        )
        # each began where the one before had ended, and the session is where the last one put it
        at_each = [before.pk, *(switch.to_project_id for switch in went_through)]
        assert [switch.from_project_id for switch in went_through] == at_each[:-1]
        assert project_of(session).pk == at_each[-1]
        assert not ProjectSwitch.objects.open().exists()
    histories = session.history.order_by("history_id").values_list("project_id", flat=True)
    completed = ProjectSwitch.objects.filter(state="completed").order_by("pk")
    assert list(histories) == [alpha.pk, *(switch.to_project_id for switch in completed)]


# ------------------------------------------------------------------------------------------ by name


def test_assigning_by_name_is_a_switch(ann, session, beta):
    assert assign_by_name(session, name="BET", **by(ann)).project == beta
    assert ProjectSwitch.objects.get().to_project == beta


def test_an_ambiguous_name_changes_nothing(ann, session, alpha, beta):
    ProjectFactory.create(name="Betamax")
    assert assign_by_name(session, name="beta", **by(ann)).project == beta
    with pytest.raises(ProjectAmbiguous):
        assign_by_name(session, name="bet", **by(ann))
    assert project_of(session) == beta


@pytest.mark.parametrize("project_id", [None, UNASSIGNED_ID])
def test_an_ended_session_without_a_project_is_assigned_but_not_switched(clerk, beta, project_id):
    user = User.objects.create_user("agent")
    orphan = SessionFactory.create(
        kind="agent", user=user, status="completed", ended_at=NOON, project_id=project_id
    )
    with pytest.raises(SessionAlreadyEnded):
        switch_project(orphan, project=beta, **by(clerk))
    assert assign_by_name(orphan, name="beta", **by(clerk)).project == beta
    assert Session.objects.get(pk=orphan.pk).status == "completed"


def test_assigning_ones_ended_session_leaves_the_current_project(ann, beta):
    orphan = SessionFactory.create(kind="agent", user=ann, status="completed", ended_at=NOON)
    assign_by_name(orphan, name="beta", **by(ann))
    assert not Profile.objects.filter(user=ann).exists()
