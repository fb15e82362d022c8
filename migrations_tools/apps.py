from django.apps import AppConfig


class MigrationsToolsConfig(AppConfig):
    name = "migrations_tools"
    label = "migrations_tools"
    verbose_name = "Data migrations"
    default_auto_field = "django.db.models.BigAutoField"
