"""Typed options of a definition: a frozen dataclass, filled from text, JSON or a form."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migrations_tools.exceptions import InvalidOption


@dataclasses.dataclass(frozen=True)
class NoOptions:
    """A definition that has nothing to choose."""


def option(default: Any, help_text: str, **form_arguments: Any) -> Any:
    """A field of an options dataclass: default, help text, and arguments of its form field."""
    return dataclasses.field(default=default, metadata={"help_text": help_text, **form_arguments})


_FORM_FIELDS: dict[type, type[forms.Field]] = {
    int: forms.IntegerField,
    float: forms.FloatField,
    str: forms.CharField,
    bool: forms.BooleanField,
}


def options_form(options: type[Any]) -> type[forms.Form]:
    """The form class that validates and shows the options."""
    hints = typing.get_type_hints(options)
    fields: dict[str, forms.Field] = {}
    for item in dataclasses.fields(options):
        plain = _plain_type(hints[item.name])
        arguments = dict(item.metadata)
        if arguments.get("help_text"):
            arguments["help_text"] = gettext_lazy(arguments["help_text"])
        if "choices" in arguments:
            field_class: type[forms.Field] = forms.ChoiceField
        else:
            field_class = _FORM_FIELDS[plain]
        fields[item.name] = field_class(
            required=False,
            initial=item.default,
            label=gettext_lazy(item.name.replace("_", " ")),
            **arguments,
        )
    return type("OptionsForm", (forms.Form,), fields)


def parse_options(options: type[Any], values: Mapping[str, Any]) -> Any:
    """The options object for ``values``; missing ones take their default.

    Raises InvalidOption naming the option and what is wrong with it.
    """
    known = {item.name: item for item in dataclasses.fields(options)}
    normalised = {name.replace("-", "_"): value for name, value in values.items()}
    unknown = sorted(normalised.keys() - known.keys())
    if unknown:
        names = ", ".join(sorted(known)) or "none"
        raise InvalidOption(
            _("Unknown option “%(unknown)s”. Options are: %(names)s.")
            % {"unknown": unknown[0], "names": names},
            field=f"options.{unknown[0]}",
        )
    form = options_form(options)()
    parsed: dict[str, Any] = {}
    for name, value in normalised.items():
        try:
            cleaned = form.fields[name].clean(value)
        except ValidationError as error:
            raise InvalidOption(
                _("Option %(name)s: %(messages)s")
                % {"name": name, "messages": " ".join(error.messages)},
                field=f"options.{name}",
            ) from error
        parsed[name] = known[name].default if cleaned in (None, "") else cleaned
    return options(**parsed)


def option_flags(options: type[Any]) -> list[tuple[str, bool, str]]:
    """Name, whether it is a switch, and help text of each option, for the command line."""
    hints = typing.get_type_hints(options)
    return [
        (item.name, _plain_type(hints[item.name]) is bool, str(item.metadata.get("help_text", "")))
        for item in dataclasses.fields(options)
    ]


def _plain_type(hint: Any) -> type:
    """``int`` for ``int | None``."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    return typing.cast(type, hint)
