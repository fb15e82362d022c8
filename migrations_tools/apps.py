from typing import Any

from django.apps import AppConfig
from django.core.signals import request_finished
from django.utils import translation
from django.utils.module_loading import autodiscover_modules


def forget_language(**_signal: Any) -> None:
    """What a thread does after a page in another language is told in English again."""
    translation.deactivate()


class MigrationsToolsConfig(AppConfig):
    name = "migrations_tools"
    label = "migrations_tools"
    verbose_name = "Data migrations"
    names_in_catalogue = True
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find what the installed apps bring, as the admin does with ``admin`` modules."""
        from migrations_tools import checks, triggers  # noqa: F401 - system checks register
        from migrations_tools.definitions import registry

        registry.autodiscover()
        request_finished.connect(forget_language, dispatch_uid="forget_language")
        autodiscover_modules(
            "legacy_imports", "legacy_generators", "cutovers", "dashboard_cards", "comparisons"
        )
