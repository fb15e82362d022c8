"""The API keeps what its description promises, whatever it is asked (schemathesis).

Every operation is asked by somebody with all rights, with values that fit the description, with the
ids of what is there, and with values that do not fit: no server error, and no status, kind of
content or answer that the description does not have. The examples are the same every time.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from knox.models import AuthToken
from rest_framework.throttling import SimpleRateThrottle
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from migrations_tools.models import LegacyImport, ReviewItem, Run
from tests.migrations_tools.engine.test_running import carry, stage

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

#: Requests to each operation.
EXAMPLES: Final = 8
SEED: Final = 20250501
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def everybody(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    """Somebody with all rights, who is not slowed down; files go to a folder of the test's own."""
    settings.CARRYOVER_HOME = tmp_path
    settings.ALLOWED_HOSTS = ["*"]
    cache.clear()
    rates = dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES)
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)
    return User.objects.create_superuser("everybody")


@pytest.fixture
def there(everybody: User) -> dict[str, Any]:
    """Parameters of addresses → what is there."""
    stage(3, line="one line")
    stage(1, day=None)
    stage(2, kind="unsure")
    run = Run.objects.get(pk=carry()["run"])
    LegacyImport.objects.create(
        kind="problems", file_name="f.csv", size=1, sha256="0" * 64, actor=everybody
    )
    return {
        "run": str(run.pk),
        "name": "carry_orders",
        "key": "collaboration",
        "number": ReviewItem.objects.earliest("id").pk,
    }


def test_every_operation_answers_as_described(everybody: User, there: dict[str, Any]) -> None:
    described: Any = SchemaGenerator().get_schema(public=True)
    schema = schemathesis.openapi.from_dict(described)
    schema.app = get_wsgi_application()
    wrong = {}
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # drf-spectacular's are sound
        try:
            ask(operation, everybody, there)
        except (AssertionError, FailureGroup) as failure:
            wrong[operation.label] = told(failure)
    assert not wrong, "\n\n".join(f"{label}\n{text}" for label, text in wrong.items())


def ask(operation: Any, user: User, there: dict[str, Any]) -> None:
    """Send the examples of one operation and compare the answers with the description."""
    token = AuthToken.objects.create(user)[1]
    names = set(re.findall(r"{(\w+)}", operation.path))
    known = {name: value for name, value in there.items() if name in names}
    strategies = [
        operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known),
        operation.as_strategy(GenerationMode.POSITIVE),
    ]
    if names or list(operation.iter_parameters()) or operation.body:
        strategies.append(operation.as_strategy(GenerationMode.NEGATIVE))

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(strategies))
    def send(case: Any) -> None:
        response = case.call(headers={"Authorization": f"Token {token}"})
        case.validate_response(response, checks=CHECKS)

    send()


def told(failure: BaseException) -> str:
    """What differs, without the advice around it."""
    parts = getattr(failure, "exceptions", [failure])
    return "\n".join(str(part)[:600] for part in parts)
