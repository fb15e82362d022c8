"""Answers in pages: ``{"count", "next", "previous", "results"}`` (SPEC §4)."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param


def page_answer(request: Request, *, count: int, number: int, size: int, results: Any) -> Response:
    """``results`` is page ``number``, from 1, of ``count`` objects. Neighbours are full addresses.

    A page behind the last is empty, and leads back to the last one that is not.
    """
    pages = max(1, -(-count // size))
    return Response(
        {
            "count": count,
            "next": _address(request, number + 1) if number < pages else None,
            "previous": _address(request, min(number - 1, pages)) if number > 1 else None,
            "results": results,
        }
    )


def _address(request: Request, number: int) -> str:
    here = request.build_absolute_uri()
    if number == 1:
        return str(remove_query_param(here, "page"))
    return str(replace_query_param(here, "page", number))
