"""Pages of the data migrations: their state, and runs begun by a form."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migrations_tools.models import Run, Transition
from migrations_tools.selectors.definition_facts import definition_told
from migrations_tools.services import runs
from migrations_tools.services.verification import verify_run
from migrations_tools.states import RunKind, RunState
from tests.migrations_tools.admin.conftest import Enter, confirm, do_work, words
from tests.migrations_tools.engine.test_running import actor, carry, stage
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)

LIST = reverse("admin:migrations_tools_run_definitions")
ORDERS = reverse("admin:migrations_tools_run_definition", args=["carry_orders"])


def test_every_data_migration_is_listed_with_its_state(enter: Enter) -> None:
    stage(2)
    client = enter()
    text = client.get(LIST).content.decode()
    assert "Carry orders" in text
    assert "never run" in text
    carry()
    with CaptureQueriesContext(connection) as few:
        client.get(LIST)
    for _ in range(3):
        stage(5)
        carry()
    with CaptureQueriesContext(connection) as many:
        answer = client.get(LIST)
    assert len(few) == len(many)
    states = {state.definition.name: state for state in answer.context["states"]}
    assert states["carry_orders"].pending == 0
    assert states["carry_orders"].last.state == RunState.COMPLETED
    assert states["normalize_collaboration_sessions"].stage == "off"
    assert enter(name="blind").get(LIST).status_code == 200


def test_what_waits_is_counted_as_the_api_counts_it(enter: Enter) -> None:
    stage(1, day=None)
    carry()
    stage(2)
    state = enter().get(ORDERS).context["state"]
    told = definition_told(state.definition)
    assert (state.pending, told["pending"]) == (2, 2)  # what is quarantined waits for people


def test_plans_dry_runs_and_runs_are_begun_with_their_options(enter: Enter) -> None:
    client = enter("run")
    stage(3)
    values = {"option-prefix": "N", "limit": "2", "workers": "1", "reason": "for a look"}
    shown = client.post(ORDERS, {"kind": "apply", **values}).content.decode()
    assert "3 keys wait. A worker plans, then carries them over for real." in shown
    assert not Run.objects.exists()
    for kind in (RunKind.PLAN, RunKind.DRY_RUN, RunKind.APPLY):
        answer = confirm(client, ORDERS, kind=kind, **values)
        run = Run.objects.filter(kind=kind).latest("created_at")
        assert words(answer) == ["A worker takes it up."]
        assert answer.redirect_chain[-1][0] == reverse(
            "admin:migrations_tools_run_change", args=[run.pk]
        )
        assert (run.options["prefix"], run.tuning["limit"]) == ("N", 2)
        do_work()
        run.refresh_from_db()
        assert (run.state, run.reason) == (RunState.COMPLETED, "for a look")
    assert set(Order.objects.values_list("number", flat=True)) == {"NA0", "NA1"}


def test_a_second_click_begins_no_second_run(enter: Enter) -> None:
    client = enter("run")
    stage(1)
    answers = [confirm(client, ORDERS, kind="apply") for _ in range(2)]
    run = Run.objects.get()
    assert [words(answer) for answer in answers] == [
        ["A worker takes it up."],
        [f"olga asked for this run already: run {run.pk} waits for a worker."],
    ]


def test_a_verification_of_another_run_than_the_last_says_so(enter: Enter) -> None:
    client = enter()
    stage(1)
    verify_run(Run.objects.get(pk=carry()["run"]), **actor())
    assert "of an earlier run" not in client.get(ORDERS).content.decode()
    stage(2)
    carry()
    for address in (LIST, ORDERS):
        assert "of an earlier run" in client.get(address).content.decode()


def test_tampered_options_begin_nothing(enter: Enter) -> None:
    client = enter("run")
    stage(1)
    assert confirm(client, ORDERS, kind="plan", limit="-1").status_code == 422
    assert confirm(client, ORDERS, kind="plan", workers="9999").status_code == 422
    assert confirm(client, ORDERS, kind="rollback").status_code == 404
    unknown = reverse("admin:migrations_tools_run_definition", args=["no_such_thing"])
    assert client.get(unknown).status_code == 404
    assert not Run.objects.exists()


def test_beginning_is_for_those_who_have_the_right(enter: Enter) -> None:
    stage(1)
    client = enter(name="viewer")
    text = client.get(ORDERS).content.decode()
    assert "Settings of the run" not in text
    assert confirm(client, ORDERS, kind="plan").status_code == 403
    assert Transition.objects.filter(action="refused", actor__username="viewer").count() == 1
    assert not Run.objects.exists()


def test_a_second_run_is_told_of_the_first(enter: Enter) -> None:
    client = enter("run")
    assert words(confirm(client, ORDERS, kind="apply")) == ["There is nothing to do: no key waits."]
    stage(2)
    first = runs.start_run("carry_orders", **actor())
    assert first is not None
    answer = confirm(client, ORDERS, kind="apply")
    assert f"Run {first.pk} of carry_orders is queued" in words(answer)[0]
    assert Run.objects.filter(kind=RunKind.APPLY).count() == 1


def test_a_data_migration_that_is_gone_still_lists_its_runs(enter: Enter) -> None:
    stage(1)
    carry()
    Run.objects.update(definition="once_upon_a_time")
    run = Run.objects.filter(kind=RunKind.APPLY).get()
    client = enter("run", "rollback")
    gone = reverse("admin:migrations_tools_run_definition", args=["once_upon_a_time"])
    text = client.get(gone).content.decode()
    assert "There is no data migration “once_upon_a_time” any more" in text
    page = reverse("admin:migrations_tools_run_change", args=[run.pk])
    assert page in text
    for name in ("change", "live", "problems", "changes", "verification", "transitions"):
        address = reverse(f"admin:migrations_tools_run_{name}", args=[run.pk])
        assert client.get(address).status_code == 200, name
