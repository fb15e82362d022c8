"""The form by which people come in."""

from __future__ import annotations

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import User


class LoginForm(AdminAuthenticationForm):
    """Django's, which takes names of any length: the record of failed logins does not."""

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if len(name) > (User._meta.get_field("username").max_length or 0):
            raise self.get_invalid_login_error()
        return name
