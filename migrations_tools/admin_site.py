"""The admin site of the product, and the configuration that makes it the default one.

`admin.register` everywhere registers with it. It stands outside the package ``migrations_tools
.admin``, since that package is imported while the site is being made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from migrations_tools.exceptions import CarryoverError, PermissionRefused

if TYPE_CHECKING:  # models come after Django's start, this module before it
    from django.contrib.auth.models import User


#: What is said where Django, or the database, cannot make anything of what was sent.
BAD_REQUEST = _(
    "This address, or what was sent, holds something that cannot be looked up or stored. Go back "
    "and begin anew."
)


class BadRequest(CarryoverError):
    """What was sent can be looked up or stored nowhere."""

    code = "bad_request"
    http_status = 400


View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class CarryoverAdminSite(AdminSite):
    """Plain Django admin with a dashboard."""

    site_header = _("Carryover")
    site_title = _("Carryover")
    index_title = _("Overview")
    site_url = None
    enable_nav_sidebar = True

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        from migrations_tools.admin.login import LoginForm  # made of models, see above

        self.login_form = LoginForm
        return super().login(request, extra_context)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """The overview: cards of all apps, what to do first, and quick links."""
        from migrations_tools.admin.addresses import admin_address
        from migrations_tools.dashboard import cards_for
        from migrations_tools.selectors.overview import nothing_yet

        user = cast("User", request.user)  # strangers are sent to the login
        shown = {
            "cards": cards_for(user),
            "nothing_yet": user.has_perm("migrations_tools.view_run") and nothing_yet(),
            "import_address": (
                admin_address("import_kinds") if user.has_perm("migrations_tools.import") else ""
            ),
        }
        return super().index(request, shown | (extra_context or {}))

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Every page of the admin: refused attempts are kept, refusals of services told in words.

        Strangers are only sent to the login.
        """

        @wraps(view)
        def watched(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return view(request, *args, **kwargs)
            except PermissionDenied as denial:
                # a service that refuses keeps that itself
                if not isinstance(denial.__cause__, PermissionRefused):
                    _keep_refusal(request)
                raise
            except CarryoverError as refusal:
                return self._refused(request, refusal)
            except (DataError, ValidationError):  # of an address or a form that no page made
                return self._refused(request, BadRequest(str(BAD_REQUEST)))

        # words of scripts are for everybody; pages, that of the password included, for one
        is_for_all = cacheable and getattr(view, "__name__", "") == "i18n_javascript"
        guarded = super().admin_view(watched, is_for_all)

        @wraps(guarded)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                _keep_refusal(request)
            return guarded(request, *args, **kwargs)

        return cast(View, page)

    def _refused(self, request: HttpRequest, refusal: CarryoverError) -> TemplateResponse:
        """A page with what a service refused and no page of its own told."""
        context = self.each_context(request) | {
            "title": _("This was not done"),
            "message": refusal.message,
        }
        return TemplateResponse(
            request, "carryover/refused.html", context, status=refusal.http_status
        )

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What people work with first, then accounts and machinery."""
        from migrations_tools.model_names import our_apps

        ours = {config.label for config in our_apps()}
        found = super().get_app_list(request, app_label)
        return sorted(found, key=lambda app: app["app_label"] not in ours)


def _keep_refusal(request: HttpRequest) -> None:
    """Keep who was refused, and at which address."""
    from migrations_tools.services.actors import record_refusal
    from migrations_tools.states import Surface

    match = request.resolver_match
    address = match.view_name if match is not None else request.path
    if address != "admin:logout":  # whoever may not be here may leave
        record_refusal(
            cast("User", request.user),
            surface=Surface.ADMIN,
            address=address,
            method=request.method or "",
        )


class CarryoverAdminConfig(AdminConfig):
    default_site = "migrations_tools.admin_site.CarryoverAdminSite"

    def ready(self) -> None:
        """Find the admin modules, once names of models are words of the catalogue."""
        from migrations_tools.model_names import translate_names

        translate_names()
        super().ready()
