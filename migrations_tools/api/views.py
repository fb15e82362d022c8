"""Addresses that are nobody's."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

#: The name of its address.
UNKNOWN_ADDRESS: Final = "api-unknown"


class UnknownAddress(APIView):
    """404 in the envelope of the API, for whatever lies below its root and does not exist.

    An address that only lacks its last slash is told by 308: clients repeat method and body there,
    where they would make a GET of a POST by 301.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if _lacks_slash(request.path_info):
            address = request.get_full_path(force_append_slash=True)
            return HttpResponsePermanentRedirect(address, preserve_request=True)
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotFound(_("There is nothing at this address."))


def _lacks_slash(path: str) -> bool:
    if path.endswith("/"):
        return False
    try:
        return resolve(f"{path}/").url_name != UNKNOWN_ADDRESS
    except Resolver404:
        return False
