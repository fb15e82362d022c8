"""What the addresses of guarantees have in common: who may look, order, search, filters."""

from __future__ import annotations

from typing import Any, Final, cast

import django_filters
from django import forms
from django.db.models import Model, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import filters, mixins, viewsets
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from migrations_tools.api.filters import Search
from migrations_tools.api.pages import Pages
from migrations_tools.api.versions import tagged

#: Ids of an address; longer numbers name nothing.
ID_PATTERN: Final = "[0-9]{1,19}"


class MayLook(BasePermission):
    """Reading needs Django's ``view_…`` permission of `looked_at`; changes are for the services.

    Whoever may not look is refused lists, and there are no single objects for them.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method not in ("GET", "HEAD"):
            return True
        if may_view(request, cast(Any, view).looked_at):
            return True
        if view.kwargs:
            raise NotFound
        return False


def may_view(request: Request, model: type[Model]) -> bool:
    """Whether the caller may look at objects of ``model``."""
    meta = model._meta
    return bool(request.user.has_perm(f"{meta.app_label}.view_{meta.model_name}"))


class Ordering(filters.OrderingFilter):
    """The order that is asked for, ended by the id: rows keep their places between pages."""

    def get_ordering(self, request: Request, queryset: Any, view: APIView) -> list[str]:
        names = list(super().get_ordering(request, queryset, view) or ["-id"])
        last = "-id" if names[-1].startswith("-") else "id"
        return names if names[-1].lstrip("-") == "id" else [*names, last]


class _DayFormField(forms.DateField):
    input_formats = ["%Y-%m-%d"]


class DayFilter(django_filters.DateFilter):
    """A day, ISO only: what a program asks for means one day."""

    field_class = _DayFormField


class DatabaseViewSet(
    mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Any]
):
    """Lists with pages, filters, order and search, and single objects with their ``ETag``."""

    permission_classes = (IsAuthenticated, MayLook)
    pagination_class = Pages
    filter_backends = (DjangoFilterBackend, Search, Ordering)
    lookup_value_regex = ID_PATTERN
    looked_at: type[Model]

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return tagged(self.get_serializer(self.get_object()).data)

    def shown(self, pk: int, *, status: int = 200, location: str = "") -> Response:
        """The object as a reader sees it now."""
        return tagged(self.representation(pk), status=status, location=location)

    def representation(self, pk: int) -> Any:
        """What the details of the object show."""
        serializer = cast(type[BaseSerializer[Any]], self.serializer_class)
        return serializer(self.objects().get(pk=pk), context=self.get_serializer_context()).data

    def objects(self) -> QuerySet[Any]:
        return self.get_queryset()
