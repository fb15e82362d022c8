from django.apps import AppConfig


class GuaranteesConfig(AppConfig):
    name = "guarantees"
    label = "guarantees"
    verbose_name = "Guarantees"
    default_auto_field = "django.db.models.BigAutoField"
