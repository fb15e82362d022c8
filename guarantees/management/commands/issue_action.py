"""``manage.py issue_action``: an action on a guarantee, from a shell."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.core.management.base import CommandParser

from guarantees.action_errors import ValueRefused
from guarantees.models import ActionType, GuaranteeAction
from guarantees.reading import ValueNotUnderstood, day_first, read_amount, read_date
from guarantees.services.actions import ActionRequest, issue_action
from migrations_tools.management.base import CarryoverCommand, ExitCode
from migrations_tools.services.actors import acting_user_from_environment
from migrations_tools.states import Surface


class Command(CarryoverCommand):
    help = "Issue an action on a guarantee: " + ", ".join(ActionType.values) + "."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("type", metavar="TYPE", choices=ActionType.values, help="What to do.")
        parser.add_argument("number", metavar="NUMBER", help="The newest guarantee of this number.")
        parser.add_argument(
            "--guarantee", type=int, metavar="ID", help="Which one, where several have the number."
        )
        parser.add_argument("--expiry", metavar="DATE", help="New expiry; else one year later.")
        parser.add_argument("--amount", metavar="A", help="New amount.")
        parser.add_argument("--reason", default="", metavar="T", help="Why.")
        parser.add_argument("--notes", default="", metavar="T", help="Kept with the action.")
        parser.add_argument(
            "--set", action="append", default=[], metavar="FIELD=VALUE",
            help="What a modification sets; may be repeated.",
        )  # fmt: skip
        parser.add_argument("--key", help="Idempotency key: the same one again does nothing.")
        self.add_json_argument(parser)

    def execute_action(self, **options: Any) -> tuple[dict[str, Any], int]:
        request = ActionRequest(
            action_type=options["type"],
            number=options["number"],
            guarantee_id=options["guarantee"],
            new_expiry=_read("expiry", options["expiry"]),
            new_amount=_read("amount", options["amount"]),
            changes=dict(_pair(text) for text in options["set"]),
            reason=options["reason"],
            notes=options["notes"],
            idempotency_key=options["key"],
        )
        action = issue_action(
            request, acting_user=acting_user_from_environment(), surface=Surface.COMMAND
        )
        return as_json(action), ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        guarantee = answer["guarantee"]
        self.stdout.write(f"action {answer['id']}: {answer['type']} of {answer['number']}")
        self.stdout.write(
            f"  guarantee {guarantee['id']} is {guarantee['status']}, "
            f"{guarantee['current_amount']} {guarantee['currency']}, "
            f"until {guarantee['current_expiry']}"
        )
        for name, (old, new) in answer["changes"].items():
            self.stdout.write(f"  {name}: {old} → {new}")


def as_json(action: GuaranteeAction) -> dict[str, Any]:
    """An action of a guarantee, and what the guarantee is now."""
    guarantee: Any = action.guarantee  # never null: people act on guarantees
    return {
        "id": action.pk,
        "type": action.action_type,
        "number": action.number,
        "status": action.status,
        "action_date": str(action.action_date),
        "previous_expiry": _text(action.previous_expiry),
        "new_expiry": _text(action.new_expiry),
        "previous_amount": _text(action.previous_amount),
        "new_amount": _text(action.new_amount),
        "changes": action.changes,
        "reason": action.reason,
        "notes": action.notes,
        "session": action.session_id,
        "issued_at": action.issued_at and action.issued_at.astimezone(UTC).isoformat(),
        "guarantee": {
            "id": guarantee.pk,
            "status": guarantee.status,
            "currency": guarantee.currency,
            "current_expiry": _text(guarantee.current_expiry),
            "current_amount": _text(guarantee.current_amount),
        },
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _read(name: str, text: str | None) -> Any:
    """An option as people write dates and amounts; None where it is not given."""
    if text is None:
        return None
    try:
        if name == "amount":
            value: Any = read_amount(text)
        else:
            value = read_date(text, day_first=day_first())
    except ValueNotUnderstood as error:
        raise ValueRefused(error.detail, code=error.code, field=name) from error
    if value is None:
        raise ValueRefused(f"--{name} is blank.", field=name)
    return value


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueRefused(f"--set {text}: write FIELD=VALUE.", field="set")
    return name.strip(), value
