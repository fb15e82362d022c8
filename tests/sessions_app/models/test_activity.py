"""Projects and events."""

import pytest
from django.db import IntegrityError, transaction

from sessions_app.models import UNASSIGNED_ID, ActivityEvent, Project
from tests.sessions_app.factories import ProjectFactory

pytestmark = pytest.mark.django_db


def test_an_event_names_its_project_as_written_or_by_the_object():
    project = ProjectFactory.create()
    ActivityEvent.objects.create(event_id="1", session_ref="s-1", **{"project": project})
    ActivityEvent.objects.create(event_id="2", project="no such project")
    assert ActivityEvent.objects.filter(project=project).get().event_id == "1"
    assert ActivityEvent.objects.get(event_id="1").project == str(project.pk)
    assert ActivityEvent.objects.get(event_id="2").project == "no such project"


def test_the_sentinel_is_there_once_and_is_no_real_project():
    Project.objects.filter(pk=UNASSIGNED_ID).delete()
    Project.objects.ensure_unassigned()
    Project.objects.ensure_unassigned()
    assert Project.objects.filter(pk=UNASSIGNED_ID).count() == 1
    assert not Project.objects.real().filter(pk=UNASSIGNED_ID).exists()


def test_one_project_is_primary_and_never_the_sentinel():
    ProjectFactory.create(is_primary=True)
    with pytest.raises(IntegrityError, match="one_primary_project"), transaction.atomic():
        ProjectFactory.create(is_primary=True)
    Project.objects.ensure_unassigned()
    Project.objects.update(is_primary=False)
    with pytest.raises(IntegrityError, match="sentinel_is_not_primary"), transaction.atomic():
        Project.objects.filter(pk=UNASSIGNED_ID).update(is_primary=True)


def test_archived_and_completed_projects_take_no_new_sessions():
    wanted = ProjectFactory.create(status="paused")
    ProjectFactory.create(status="archived")
    ProjectFactory.create(status="completed")
    assert [found.pk for found in Project.objects.selectable()] == [wanted.pk]
