from django.apps import AppConfig


class GuaranteesConfig(AppConfig):
    name = "guarantees"
    label = "guarantees"
    verbose_name = "Guarantees"
    names_in_catalogue = True
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make workbooks known to uploads and their workers."""
        from guarantees.services import workbook_uploads  # noqa: F401 - registers itself
