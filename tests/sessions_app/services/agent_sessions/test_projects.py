"""Which project a new session gets, and which one a name means."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from sessions_app.models import UNASSIGNED_ID, UNASSIGNED_NAME, Profile, Project, Session
from sessions_app.services.agent_sessions import (
    ProjectAmbiguous,
    ProjectInactive,
    ProjectNotFound,
    find_project,
    find_project_by_name,
    resolve_project,
    start_session,
)
from tests.sessions_app.factories import ProjectFactory
from tests.sessions_app.services.agent_sessions.acting import at_once, by

pytestmark = pytest.mark.django_db


def resolved(user, given=None):
    return resolve_project(user=user, given=given, **by(user))


@pytest.fixture
def every_candidate(ann, settings):
    """A project of each step of the resolution, in its order."""
    settings.DEFAULT_PROJECT_NAME = "The default"
    given, current, primary, default = (
        ProjectFactory.create(name="Given"),
        ProjectFactory.create(name="Current"),
        ProjectFactory.create(name="Primary", is_primary=True),
        ProjectFactory.create(name="The default"),
    )
    Profile.objects.create(user=ann, current_project=current)
    return [given, current, primary, default]


def test_the_first_project_there_is_is_taken_in_the_order_of_the_specification(
    ann, every_candidate
):
    given, *others = every_candidate
    assert resolved(ann, given) == given
    for project in others:
        assert resolved(ann) == project
        Project.objects.filter(pk=project.pk).update(status="archived")
    assert resolved(ann).personal_of == ann


@pytest.mark.parametrize("status", ["archived", "completed"])
def test_a_project_that_takes_no_sessions_is_passed_over_or_refused_if_given(
    ann, every_candidate, status
):
    given, current, primary, _default = every_candidate
    Project.objects.filter(pk__in=[given.pk, current.pk]).update(status=status)
    assert resolved(ann) == primary
    with pytest.raises(ProjectInactive) as refusal:
        resolved(ann, given)
    assert refusal.value.as_dict()["project"] == str(given.pk)


def test_a_paused_project_takes_sessions(ann, every_candidate):
    _given, current, *_others = every_candidate
    Project.objects.filter(pk=current.pk).update(status="paused")
    assert resolved(ann) == current


def test_the_sentinel_is_never_chosen(ann, settings):
    settings.DEFAULT_PROJECT_NAME = UNASSIGNED_NAME
    Profile.objects.create(user=ann, current_project_id=UNASSIGNED_ID)
    assert resolved(ann).personal_of == ann
    with pytest.raises(ProjectNotFound):
        resolved(ann, UNASSIGNED_ID)


def test_the_current_project_of_somebody_else_does_not_count(ann, bob, beta):
    Profile.objects.create(user=bob, current_project=beta)
    assert resolved(ann) != beta


def test_a_personal_project_is_made_once_and_says_by_whom(ann, clerk):
    first = resolve_project(user=ann, **by(clerk))
    assert resolved(ann) == first
    assert (first.name, first.status) == ("Personal project of ann", "active")
    made = first.history.get()
    assert (made.history_type, made.history_user) == ("+", clerk)
    assert made.history_change_reason == "make personal project (api)"


def test_a_personal_project_keeps_being_the_persons_when_it_is_renamed(ann):
    first = resolved(ann)
    Project.objects.filter(pk=first.pk).update(name="My things")
    assert resolved(ann) == first


def test_another_project_of_that_name_is_left_alone(ann):
    other = ProjectFactory.create(name="Personal project of ann")
    mine = resolved(ann)
    assert mine != other
    assert mine.name.startswith("Personal project of ann ")


def test_an_archived_personal_project_is_refused_and_no_second_one_made(ann):
    mine = resolved(ann)
    Project.objects.filter(pk=mine.pk).update(status="archived")
    with pytest.raises(ProjectInactive):
        resolved(ann)
    assert Project.objects.filter(personal_of=ann).count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_starts_at_once_make_one_personal_project(ann):
    sessions = at_once(*[lambda: start_session(**by(ann))] * 8)
    project = Project.objects.get(personal_of=ann)
    assert {session.project_id for session in sessions} == {project.pk}
    assert Session.objects.filter(project=project).count() == 8
    assert project.history.count() == 1


@pytest.mark.parametrize("unknown", ["", "no id", "\0", "00000000-0000-4000-8000-000000000009"])
def test_an_id_of_no_project_is_refused(db, unknown):
    with pytest.raises(ProjectNotFound):
        find_project(unknown)


def test_an_id_is_read_in_any_case(alpha):
    assert find_project(str(alpha.pk).upper()) == alpha


class TestByName:
    @pytest.fixture(autouse=True)
    def projects(self, db):
        for name in ("Web shop", "Webmail", "Mobile"):
            ProjectFactory.create(name=name)

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("Mobile", "Mobile"),
            ("mobile", "Mobile"),
            (" MOBILE ", "Mobile"),
            ("bil", "Mobile"),
            ("SHOP", "Web shop"),
            ("web s", "Web shop"),
        ],
    )
    def test_a_name_is_exact_in_any_case_or_a_part_that_only_one_has(self, written, meant):
        assert find_project_by_name(written).name == meant

    def test_several_matches_are_refused_with_the_list(self):
        with pytest.raises(ProjectAmbiguous) as refusal:
            find_project_by_name("web")
        assert refusal.value.code == "PROJECT_AMBIGUOUS"
        assert [match["name"] for match in refusal.value.fields["matches"]] == [
            "Web shop",
            "Webmail",
        ]
        assert "“Web shop”" in refusal.value.message
        assert "“Webmail”" in refusal.value.message

    def test_an_exact_name_goes_before_names_that_contain_it(self):
        exact = ProjectFactory.create(name="Web")
        assert find_project_by_name("web") == exact

    def test_names_that_differ_by_case_are_ambiguous_unless_written_exactly(self):
        upper = ProjectFactory.create(name="MOBILE")
        assert find_project_by_name("MOBILE") == upper
        with pytest.raises(ProjectAmbiguous):
            find_project_by_name("mobile")

    def test_an_archived_project_is_no_candidate_for_a_part_of_a_name(self):
        Project.objects.filter(name="Webmail").update(status="archived")
        assert find_project_by_name("web").name == "Web shop"

    @pytest.mark.parametrize("written", ["webmail", "mail"])
    def test_a_name_of_an_archived_project_only_is_refused(self, written):
        Project.objects.filter(name="Webmail").update(status="archived")
        with pytest.raises(ProjectInactive):
            find_project_by_name(written)

    @pytest.mark.parametrize(
        "written", ["", "  ", "%", "_ob", "desktop", "\0", "\udcff", "unassigned"]
    )
    def test_a_name_that_fits_nothing_is_not_found(self, written):
        with pytest.raises(ProjectNotFound):
            find_project_by_name(written)


def test_resolution_of_a_given_project_is_one_query(ann, alpha, django_assert_num_queries):
    user = User.objects.get(pk=ann.pk)
    with django_assert_num_queries(1, connection=connection):
        assert resolved(user, str(alpha.pk)) == alpha
