"""Addresses below ``/api/``."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from migrations_tools.api.documentation import DocumentationView
from migrations_tools.api.tokens import LoginView, LogoutAllView, LogoutView, MeView

_version_1 = [
    path("auth/login/", LoginView.as_view(), name="api-login"),
    path("auth/logout/", LogoutView.as_view(), name="api-logout"),
    path("auth/logoutall/", LogoutAllView.as_view(), name="api-logoutall"),
    path("me/", MeView.as_view(), name="api-me"),
]

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", DocumentationView.as_view(), name="api-docs"),
    path("v1/", include(_version_1)),
]
