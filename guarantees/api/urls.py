"""Addresses below ``/api/v1/``."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from guarantees.api.actions import ActionSessionViewSet, ActionViewSet
from guarantees.api.batches import ImportBatchViewSet
from guarantees.api.dictionaries import (
    BankAliasViewSet,
    BankViewSet,
    SupplierAliasViewSet,
    SupplierOverrideViewSet,
    SupplierViewSet,
)
from guarantees.api.guarantees import GuaranteeViewSet
from guarantees.api.matching import DuplicatesView, UnmatchedNamesView
from guarantees.api.uploads import UploadViewSet

_router = SimpleRouter()
for _prefix, _viewset in (
    ("guarantees", GuaranteeViewSet),
    ("actions", ActionViewSet),
    ("action-sessions", ActionSessionViewSet),
    ("suppliers", SupplierViewSet),
    ("supplier-aliases", SupplierAliasViewSet),
    ("supplier-overrides", SupplierOverrideViewSet),
    ("banks", BankViewSet),
    ("bank-aliases", BankAliasViewSet),
):
    _router.register(_prefix, _viewset, basename=f"api-{_prefix}")
_router.register("import-batches/uploads", UploadViewSet, basename="api-workbook-uploads")
_router.register("import-batches", ImportBatchViewSet, basename="api-import-batches")

urlpatterns: list[URLPattern | URLResolver] = [
    *_router.urls,
    path("unmatched-names/", UnmatchedNamesView.as_view(), name="api-unmatched-names"),
    path("duplicates/", DuplicatesView.as_view(), name="api-duplicates"),
]
