from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


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
        autodiscover_modules(
            "legacy_imports", "legacy_generators", "cutovers", "dashboard_cards", "comparisons"
        )
