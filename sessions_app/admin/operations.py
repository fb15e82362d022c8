"""Operations of an object: a button on its page, a page that says what will happen, a service.

The services decide and refuse; here is only how their words reach the person. What was refused
because things are not as the page showed them – a stale page, a second click – is told on the
object's page, together with who changed it last; what was wrong with the form stands at the form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migrations_tools.admin.asking import add_refusal
from migrations_tools.exceptions import CarryoverError

#: Refusals of these classes are about what was typed; the others about how things are.
_OF_THE_FORM: Final = (400, 422)

#: Codes of refusals that say: somebody was faster, or clicked twice.
_OVERTAKEN: Final = frozenset(
    {
        "transition_refused",
        "session_archived",
        "already_participant",
        "already_cancelled",
        "already_confirmed",
        "already_checked_in",
        "balance_changed",
        "SESSION_ALREADY_ENDED",
    }
)

Words = str | Promise


class OperationForm(forms.Form):
    """The form of an operation on ``obj``; what is chosen on the object's page comes hidden."""

    def __init__(self, *args: Any, obj: Any, **kwargs: Any) -> None:
        self.obj = obj
        super().__init__(*args, **kwargs)


class ReasonForm(OperationForm):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Stays in the history."),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What somebody asks for. ``values`` are those of the form; on a page that was only opened,
    what its address says.
    """

    obj: Any
    user: User
    values: dict[str, Any] = field(default_factory=dict)


def always(deed: Deed) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Operation:
    """``name`` stands in the address, ``label`` on the button. ``sentence`` says what will happen,
    ``carry_out`` does it and says what has happened. ``on_page`` is False for operations on a part
    of the object, whose button stands at that part; ``offered`` says when there is a button.
    """

    name: str
    label: Words
    sentence: Callable[[Deed], str]
    carry_out: Callable[[Deed], str]
    form: type[OperationForm] = ReasonForm
    offered: Callable[[Deed], bool] = always
    on_page: bool = True
    dangerous: bool = False


@dataclass(frozen=True)
class Button:
    """A link to the page of an operation."""

    label: Words
    address: str
    dangerous: bool = False


class WithOperations(admin.ModelAdmin[Any]):
    """Pages of objects with operations; each asks for `may_operate`."""

    operations: ClassVar[Sequence[Operation]] = ()
    change_form_template = "sessions_app/admin/object.html"

    def may_operate(self, request: HttpRequest, obj: Any) -> bool:
        """Whether the person may do anything here; the services know more."""
        return self.has_change_permission(request, obj)

    def changes_of(self, deed: Deed) -> Any:
        """The history that tells who was faster, newest first."""
        return deed.obj.history

    def sections(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the page of an object shows besides its form, as template variables."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        address = path(
            "<path:object_id>/do/<slug:name>/",
            self.admin_site.admin_view(self.operation_view),
            name=f"{self._address_name()}_operation",
        )
        urls: list[URLPattern] = super().get_urls()
        return [address, *urls]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None:
            context |= {"operations": self.buttons(request, obj), **self.sections(request, obj)}
        return super().render_change_form(request, context, *args, **kwargs)

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Of what is offered to this person on the object's page."""
        if not self.may_operate(request, obj):
            return []
        deed = Deed(obj=obj, user=_person(request))
        return [
            Button(operation.label, self.address_of(obj, operation.name), operation.dangerous)
            for operation in self.operations
            if operation.on_page and operation.offered(deed)
        ]

    def address_of(self, obj: Any, name: str) -> str:
        """Of the page of an operation."""
        return reverse(f"admin:{self._address_name()}_operation", args=[obj.pk, name])

    def operation_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """What will happen (GET), and doing it (POST)."""
        operation = next((each for each in self.operations if each.name == name), None)
        if operation is None:
            raise Http404
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return self._get_obj_does_not_exist_redirect(  # type: ignore[no-any-return, attr-defined]  # Django's own, which the stubs leave out
                request, self.opts, object_id
            )
        if not self.may_operate(request, obj):
            raise PermissionDenied
        deed = Deed(obj=obj, user=_person(request), values=request.GET.dict())
        if request.method != "POST":
            form = operation.form(obj=obj, initial=deed.values)
            return self._page(request, operation, deed, form)
        form = operation.form(request.POST, obj=obj)
        if not form.is_valid():
            return self._page(request, operation, deed, form)
        deed = Deed(obj=obj, user=deed.user, values=form.cleaned_data)
        try:
            told = operation.carry_out(deed)
        except CarryoverError as refusal:
            if refusal.http_status in _OF_THE_FORM:
                add_refusal(form, refusal)
                return self._page(request, operation, deed, form)
            self.message_user(request, self._in_words(deed, refusal), messages.ERROR)
        else:
            self.message_user(request, told, messages.SUCCESS)
        return HttpResponseRedirect(self.page_of(obj))

    def page_of(self, obj: Any) -> str:
        return reverse(f"admin:{self._address_name()}_change", args=[obj.pk])

    def _page(
        self, request: HttpRequest, operation: Operation, deed: Deed, form: OperationForm
    ) -> HttpResponse:
        listed = reverse(f"admin:{self._address_name()}_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": f"{operation.label}: {deed.obj}",
            "sentence": operation.sentence(deed),
            "form": form,
            "confirm_label": operation.label,
            "danger": operation.dangerous,
            "cancel_url": self.page_of(deed.obj),
            "breadcrumbs": [
                (capfirst(self.opts.verbose_name_plural), listed),
                (str(deed.obj), self.page_of(deed.obj)),
            ],
        }
        return TemplateResponse(request, "carryover/confirm.html", context)

    def _in_words(self, deed: Deed, refusal: CarryoverError) -> str:
        """The refusal; if somebody was faster, also what was done, when and by whom."""
        last = self.changes_of(deed).first() if refusal.code in _OVERTAKEN else None
        if last is None:
            return refusal.message
        return _("%(refusal)s Last change: %(what)s, %(who)s, %(when)s.") % {
            "refusal": refusal.message,
            "what": last.history_change_reason or last.get_history_type_display(),
            "who": last.history_user or _("the system"),
            "when": localize(localtime(last.history_date)),
        }

    def _address_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"


def _person(request: HttpRequest) -> User:
    """Who asks; strangers do not come so far."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
