"""Names of models and fields in the language of the page.

Django takes the names of models and fields from the code, in English, once. Here they become words
of the catalogue, without a migration for every name: what migrations compare is kept as it was.
Apps ask for it with ``names_in_catalogue = True`` in their configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from django.apps import AppConfig, apps
from django.db.models import Field, Model
from django.utils.translation import gettext_lazy, override

if TYPE_CHECKING:
    from migrations_tools.definitions import DataMigration

#: Plurals that Django makes and English does not.
_PLURALS: Final = {
    "batchs": "batches",
    "import progresss": "import progress",
    "mismatchs": "mismatches",
}


def translate_names() -> None:
    """Let the names be looked up in the catalogue whenever they are shown.

    To be called before forms take labels from them.
    """
    for config in our_apps():
        config.verbose_name = gettext_lazy(str(config.verbose_name))
        for model in _models(config):
            options = model._meta
            plural = str(options.verbose_name_plural)
            options.verbose_name = gettext_lazy(str(options.verbose_name))
            options.verbose_name_plural = gettext_lazy(_PLURALS.get(plural, plural))
            for field in _fields(model):
                field.verbose_name = gettext_lazy(str(field.verbose_name))


def our_apps() -> list[AppConfig]:
    """Apps whose names the catalogue holds."""
    return [one for one in apps.get_app_configs() if getattr(one, "names_in_catalogue", False)]


def words() -> set[str]:
    """Every English word of models, definitions and states, as the catalogue has to hold it."""
    from migrations_tools.cutover.stages import STAGE_SENTENCES  # models: after Django's start
    from migrations_tools.definitions.registry import all_definitions
    from migrations_tools.states import COMPLETED_SENTENCES, STATE_SENTENCES

    labels = {config.name for config in our_apps()}
    sentences = (STATE_SENTENCES, COMPLETED_SENTENCES, STAGE_SENTENCES)
    found = {str(sentence) for table in sentences for sentence in table.values()}
    with override(None):
        for definition in all_definitions():
            if definition.__module__.partition(".")[0] in labels:
                found |= _words_of(definition)
        for config in our_apps():
            found.add(str(config.verbose_name))
            for model in _models(config):
                found |= {str(model._meta.verbose_name), str(model._meta.verbose_name_plural)}
                found |= {str(field.verbose_name) for field in _fields(model)}
    return found


def _words_of(definition: type[DataMigration]) -> set[str]:
    """Title, description, options and checks of a definition."""
    from migrations_tools.definitions.checks import SQLScan  # models: after Django's start
    from migrations_tools.definitions.options import option_flags

    found = {definition.title(), definition.description()}
    options = [definition.options, *(step.choices for step in definition.steps if step.choices)]
    for each in options:
        for name, _is_switch, help_text in option_flags(each):
            found |= {name.replace("_", " "), help_text}
    for check in definition.checks:
        found |= set(check.titles.values()) if isinstance(check, SQLScan) else {check.title}
    return found - {""}


def _models(config: AppConfig) -> Iterator[type[Model]]:
    """Models of an app, but for those that keep history."""
    return (model for model in config.get_models() if not hasattr(model, "history_type"))


def _fields(model: type[Model]) -> Iterator[Field[Any, Any]]:
    """Fields of the model's own table; a proxy shares those of its model."""
    return (field for field in model._meta.local_fields if field.verbose_name)
