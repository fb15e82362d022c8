"""Addresses of the product."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from migrations_tools.api.views import UNKNOWN_ADDRESS, UnknownAddress
from migrations_tools.metrics.views import metrics
from migrations_tools.probes import Ready, live

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/", include("migrations_tools.api.urls")),
    path("api/v1/", include("sessions_app.api.urls")),
    path("api/v1/", include("guarantees.api.urls")),
    path("metrics", metrics, name="metrics"),
    path("health/live", live, name="health-live"),
    path("health/ready", Ready.as_view(), name="health-ready"),
    # of any signs, line breaks too
    re_path(r"^api(?:/[\s\S]*)?$", UnknownAddress.as_view(), name=UNKNOWN_ADDRESS),
]
