"""Groups and their permissions as an operation of a schema migration."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter

from migrations_tools.exceptions import CarryoverError
from migrations_tools.operations import GrantPermissions

pytestmark = pytest.mark.django_db(transaction=True)

SHOP = GrantPermissions("Shopkeeper", ["view_order", "change_order", "add_daybook"])


def migrate(operation: GrantPermissions, *, back: bool = False) -> None:
    state = ProjectState.from_apps(apps)
    with connection.schema_editor(atomic=True) as editor:
        move = operation.database_backwards if back else operation.database_forwards
        move("shop", editor, state, state)


def granted(name: str = "Shopkeeper") -> set[str]:
    return set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))


def test_permissions_that_are_not_made_yet_are_made_as_django_makes_them():
    Permission.objects.filter(content_type__app_label="shop").delete()
    ContentType.objects.filter(app_label="shop", model="daybook").delete()
    ContentType.objects.clear_cache()
    migrate(SHOP)
    migrate(SHOP)
    assert granted() == {"view_order", "change_order", "add_daybook"}
    made = Permission.objects.get(codename="view_order", content_type__app_label="shop")
    assert made.name == "Can view order"
    assert made.content_type.model == "order"


def test_what_a_person_changed_in_a_group_stays():
    group = Group.objects.create(name="Shopkeeper")
    group.permissions.add(Permission.objects.get(codename="view_user"))
    migrate(SHOP)
    assert granted() == {"view_order", "change_order", "add_daybook", "view_user"}
    migrate(SHOP, back=True)
    assert granted() == {"view_user"}


def test_backwards_takes_the_group_with_its_last_permission_unless_somebody_is_in_it():
    migrate(SHOP)
    migrate(SHOP, back=True)
    migrate(SHOP, back=True)
    assert not Group.objects.filter(name="Shopkeeper").exists()
    migrate(SHOP)
    User.objects.create_user("amal").groups.add(Group.objects.get(name="Shopkeeper"))
    migrate(SHOP, back=True)
    assert granted() == set()


def test_a_permission_that_no_model_declares_is_refused():
    with pytest.raises(CarryoverError, match="view_nothing"):
        migrate(GrantPermissions("Shopkeeper", ["view_order", "view_nothing"]))
    assert not Group.objects.filter(name="Shopkeeper").exists()


def test_it_is_written_into_migrations_and_described():
    text, imports = MigrationWriter.serialize(SHOP)
    assert "permissions=['view_order', 'change_order', 'add_daybook']" in text
    assert imports == {"import migrations_tools.operations"}
    assert SHOP.describe() == "Grant 3 permissions to Shopkeeper"
    assert SHOP.migration_name_fragment == "grant_shopkeeper"
