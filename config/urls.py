"""Addresses of the product."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from migrations_tools.api.views import UnknownAddress

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/", include("migrations_tools.api.urls")),
    path("api/v1/", include("sessions_app.api.urls")),
    re_path(r"^api/(?:(?s:.*)/)?$", UnknownAddress.as_view()),  # of any signs, line breaks too
]
