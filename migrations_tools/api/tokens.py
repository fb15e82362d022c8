"""``/api/v1/auth/`` and ``/api/v1/me/``: tokens, and whose they are (SPEC §4)."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from knox.models import AuthToken
from rest_framework import serializers, status
from rest_framework.exceptions import Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import caller
from migrations_tools.api.authentication import TokenAuthentication
from migrations_tools.api.fields import TextField
from migrations_tools.exceptions import CarryoverError

_LONGEST_NAME: Final = 150
_LONGEST_PASSWORD: Final = 4_096


class LoginFailed(CarryoverError):
    """Name and password do not fit, or the account is not active; which of them is not told."""

    code = "login_failed"
    http_status = 401


class LoginSerializer(serializers.Serializer[Any]):
    """Name and password."""

    username = TextField(max_length=_LONGEST_NAME)
    password = TextField(max_length=_LONGEST_PASSWORD, trim_whitespace=False, write_only=True)


class TokenSerializer(serializers.Serializer[Any]):
    """A token, shown this once; only its hash is kept."""

    token = serializers.CharField(help_text="For the header `Authorization: Token …`.")
    expiry = serializers.DateTimeField()


class MeSerializer(serializers.Serializer[Any]):
    """Who is logged in, and what they may do."""

    id = serializers.IntegerField()
    username = serializers.CharField()
    name = serializers.CharField()
    is_staff = serializers.BooleanField()
    is_superuser = serializers.BooleanField()
    groups = serializers.ListField(child=serializers.CharField())
    permissions = serializers.ListField(child=serializers.CharField())


class LoginView(APIView):
    """A token for a name and a password."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="auth_login",
        auth=[],
        request=LoginSerializer,
        responses={200: TokenSerializer},
        examples=[
            OpenApiExample(
                "A clerk",
                value={"username": "clerk", "password": "a long password"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        given = LoginSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wire = request._request
        user = authenticate(wire, **given.validated_data)
        if getattr(wire, "axes_locked_out", False):
            wire.axes_locked_out = False  # type: ignore[attr-defined]  # its middleware would answer
            told = _("Too many wrong passwords: this account is locked for a while.")
            raise Throttled(settings.AXES_COOLOFF_TIME.total_seconds(), told, "locked_out")
        if user is None:
            raise LoginFailed(_("This name and password do not fit."))
        instance, token = AuthToken.objects.create(user)
        user_logged_in.send(sender=type(user), request=wire, user=user)
        answer = TokenSerializer({"token": token, "expiry": instance.expiry}).data
        return Response(answer, headers={"Cache-Control": "no-store"})


class _WithToken(APIView):
    """Only tokens are handed back here, browsers log out in the admin."""

    authentication_classes = (TokenAuthentication,)


class LogoutView(_WithToken):
    """Hand the token of this request back."""

    @extend_schema(
        operation_id="auth_logout",
        request=None,
        responses={204: OpenApiResponse(description="The token is of no more use.")},
    )
    def post(self, request: Request) -> Response:
        request.auth.delete()
        return _gone(request)


class LogoutAllView(_WithToken):
    """Hand all tokens of the caller back."""

    @extend_schema(
        operation_id="auth_logoutall",
        request=None,
        responses={204: OpenApiResponse(description="No token of the caller is of use.")},
    )
    def post(self, request: Request) -> Response:
        AuthToken.objects.filter(user=caller(request)).delete()
        return _gone(request)


def _gone(request: Request) -> Response:
    user_logged_out.send(sender=User, request=request._request, user=caller(request))
    return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(APIView):
    """Who is logged in."""

    @extend_schema(operation_id="me", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        user = caller(request)
        told = {
            "id": user.pk,
            "username": user.get_username(),
            "name": user.get_full_name(),
            "is_staff": user.is_staff,
            "is_superuser": user.is_superuser,
            "groups": sorted(user.groups.values_list("name", flat=True)),
            "permissions": sorted(user.get_all_permissions()),
        }
        return Response(MeSerializer(told).data)
