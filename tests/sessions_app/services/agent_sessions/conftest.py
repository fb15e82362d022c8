from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from sessions_app.models import Project, Session
from tests.sessions_app.factories import ProjectFactory
from tests.sessions_app.services.agent_sessions.acting import by, started


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def clerk(db: None) -> User:
    """Staff."""
    return User.objects.create_user("clerk", is_staff=True)


@pytest.fixture
def alpha(db: None) -> Project:
    return ProjectFactory.create(name="Alpha")


@pytest.fixture
def beta(db: None) -> Project:
    return ProjectFactory.create(name="Beta")


@pytest.fixture
def session(ann: User, alpha: Project) -> Session:
    """Ann's session in project Alpha, started at noon."""
    return started(project=alpha, **by(ann))
