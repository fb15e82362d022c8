"""Real processes of a test work on the test's database, not on the user's."""

import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.db import connection

COUNT_USERS = """
import django
django.setup()
from django.contrib.auth.models import User
from django.db import connection
print(connection.settings_dict["NAME"], User.objects.filter(username="committed").count())
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_sees_what_the_test_committed(process_environment):
    User.objects.create(username="committed")

    result = subprocess.run(
        [sys.executable, "-c", COUNT_USERS],
        env=process_environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.stdout == f"{connection.settings_dict['NAME']} 1\n", result.stderr
