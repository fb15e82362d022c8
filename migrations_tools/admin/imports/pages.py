"""What pages of uploads share, whatever is uploaded: whose upload it is, and refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from migrations_tools.exceptions import CarryoverError, PermissionRefused
from migrations_tools.imports.upload_kinds import own_upload_kind
from migrations_tools.models import QueuedImport
from migrations_tools.services.uploads import UnknownUpload, UploadClosed, get_upload

#: The steps of an import, as every page of it shows them.
STEPS = (_("Choose"), _("Upload"), _("Look at it"), _("Import"), _("Result"))


class UploadForm(forms.Form):
    """The file. What is in it the service finds out; name and type are not believed."""

    file = forms.FileField(label=_("File"), allow_empty_file=True, max_length=1_000)


def own_upload(request: HttpRequest, number: int, kind: str | None = None) -> QueuedImport:
    """An upload of the person who asks; what is somebody else's does not exist for them."""
    try:
        return get_upload(number, acting_user=cast(User, request.user), kind=kind)
    except UnknownUpload as refusal:
        raise Http404(refusal.message) from None


def address_of(upload: QueuedImport) -> str:
    """The page of an upload, which shows whatever it is at."""
    own = own_upload_kind(upload.kind)
    return reverse(own.page if own else "admin:import_upload", args=[upload.pk])


def steps_at(current: int) -> list[dict[str, Any]]:
    """The steps with the one that the page is at, from 0."""
    return [
        {"label": label, "done": place < current, "current": place == current}
        for place, label in enumerate(STEPS)
    ]


def done_and_told(
    request: HttpRequest, deed: Callable[[], object], address: str, said: Any = ""
) -> HttpResponse:
    """Do it and go on to ``address``; what is refused is told there, in a sentence."""
    try:
        deed()
    except PermissionRefused as refusal:
        raise PermissionDenied(refusal.message) from refusal
    except UploadClosed as refusal:
        messages.warning(request, refusal.message)
    except CarryoverError as refusal:
        messages.error(request, refusal.message)
    else:
        if said:
            messages.success(request, said)
    return HttpResponseRedirect(address)


def chunks_of(form: forms.Form) -> tuple[Iterable[bytes], str]:
    """The uploaded file of a valid form, piece by piece, and its name as it was sent."""
    file = form.cleaned_data["file"]
    return file.chunks(), file.name


def facts(*pairs: tuple[Any, Any]) -> Sequence[tuple[Any, Any]]:
    """Pairs for ``carryover/facts.html``, without those that have nothing to say."""
    return [(label, value) for label, value in pairs if value not in ("", None)]
