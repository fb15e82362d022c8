from django.apps import AppConfig


class SessionsAppConfig(AppConfig):
    name = "sessions_app"
    label = "sessions_app"
    verbose_name = "Sessions"
    names_in_catalogue = True
    default_auto_field = "django.db.models.BigAutoField"
