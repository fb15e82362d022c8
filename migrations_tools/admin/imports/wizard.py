"""The import wizard for legacy files: choose a kind, upload, look at a preview, confirm, result."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from migrations_tools.admin.imports.pages import (
    UploadForm,
    address_of,
    chunks_of,
    done_and_told,
    facts,
    own_upload,
    steps_at,
)
from migrations_tools.admin.pages import refuse_deed, who
from migrations_tools.exceptions import ImportRefused
from migrations_tools.imports.kinds import ImportKind, get_kind
from migrations_tools.imports.preview import LOOKED_AT, RowStatus
from migrations_tools.imports.service import Preview
from migrations_tools.imports.upload_kinds import own_upload_kind, own_upload_kinds
from migrations_tools.models import LegacyImport, QueuedImport
from migrations_tools.selectors.imports import import_status, kinds_by_group, waiting_uploads
from migrations_tools.services.uploads import (
    UploadClosed,
    commit_upload,
    drop_upload,
    preview_upload,
    receive_upload,
)

State = QueuedImport.State

_TEMPLATES = "admin/migrations_tools/imports"
#: What becomes of a row, in words and in a tone.
STATUSES = {
    RowStatus.NEW: (gettext_lazy("new"), "good"),
    RowStatus.UPDATED: (gettext_lazy("updated"), "info"),
    RowStatus.UNCHANGED: (gettext_lazy("unchanged"), "quiet"),
    RowStatus.SUPERSEDED: (gettext_lazy("a later row replaces it"), "quiet"),
    RowStatus.REJECTED: (gettext_lazy("rejected"), "bad"),
}


class LegacyUploadForm(UploadForm):
    """The file, and the table that it holds where neither file nor name says it."""

    table = forms.ChoiceField(
        label=gettext_lazy("Table"),
        required=False,
        help_text=gettext_lazy("Only for a CSV or JSON file whose name does not say it."),
    )

    def __init__(self, kind: ImportKind, *arguments: Any) -> None:
        super().__init__(*arguments)
        if len(kind.tables) == 1:
            del self.fields["table"]
        else:
            names = [(table.name, table.name) for table in kind.tables]
            cast(forms.ChoiceField, self.fields["table"]).choices = [
                ("", _("as the file's name says")),
                *names,
            ]


class ImportWizard:
    """The pages, for the admin's ``get_urls``."""

    def __init__(self, site: AdminSite) -> None:
        self._site = site

    def urls(self) -> list[URLPattern]:
        wrap = self._site.admin_view
        number = "uploads/<int:number>/"
        return [
            path("new/", wrap(self.kinds), name="import_kinds"),
            path("new/<slug:kind>/", wrap(self.upload), name="import_new"),
            path(number, wrap(self.page), name="import_upload"),
            path(f"{number}progress/", wrap(self.progress), name="import_progress"),
            path(f"{number}commit/", wrap(require_POST(self.commit)), name="import_commit"),
            path(f"{number}drop/", wrap(require_POST(self.drop)), name="import_drop"),
        ]

    # -------------------------------------------------------------------------------- choose

    def kinds(self, request: HttpRequest) -> HttpResponse:
        """A card for each kind, and what waits to be confirmed."""
        _refuse_without_import(request)
        user = cast(User, request.user)
        return self._answer(
            request,
            "kinds",
            title=_("Import a file"),
            groups=kinds_by_group(),
            others=[kind for kind in own_upload_kinds() if user.has_perm(kind.permission)],
            waiting=[(upload, address_of(upload)) for upload in waiting_uploads(user.pk)[:20]],
            nothing_imported=not LegacyImport.objects.exists(),
            steps=steps_at(0),
        )

    # -------------------------------------------------------------------------------- upload

    def upload(self, request: HttpRequest, kind: str) -> HttpResponse:
        """The form; a good file goes on to its preview."""
        _refuse_without_import(request)
        try:
            found = get_kind(kind)
        except ImportRefused as refusal:
            return done_and_told(request, _raising(refusal), reverse("admin:import_kinds"))
        posted = (request.POST, request.FILES) if request.method == "POST" else ()
        form = LegacyUploadForm(found, *posted)
        if posted and form.is_valid():
            chunks, name = chunks_of(form)
            try:
                upload = receive_upload(
                    kind,
                    chunks,
                    file_name=name,
                    table=form.cleaned_data.get("table") or None,
                    **who(request),
                )
            except ImportRefused as refusal:
                form.add_error("file", refusal.message)
            else:
                return HttpResponseRedirect(address_of(upload))
        return self._answer(
            request,
            "upload",
            title=found.title,
            kind=found,
            form=form,
            steps=steps_at(1),
        )

    # ---------------------------------------------------------- preview, progress and result

    def page(self, request: HttpRequest, number: int) -> HttpResponse:
        """What the upload is at: its preview, the worker's progress, or its result."""
        upload = own_upload(request, number)
        _refuse_without_import(request)
        if own_upload_kind(upload.kind):
            return HttpResponseRedirect(address_of(upload))
        shown = {
            State.UPLOADED: self._preview,
            State.QUEUED: self._working,
        }.get(State(upload.state), self._result)
        return shown(request, upload)

    def progress(self, request: HttpRequest, number: int) -> HttpResponse:
        """The part of the page that changes while a worker is at it."""
        upload = own_upload(request, number)
        return TemplateResponse(
            request, f"{_TEMPLATES}/progress.html", {"upload": upload, **_progress(upload)}
        )

    def commit(self, request: HttpRequest, number: int) -> HttpResponse:
        upload = own_upload(request, number)
        return done_and_told(
            request, lambda: commit_upload(upload, **who(request)), address_of(upload)
        )

    def drop(self, request: HttpRequest, number: int) -> HttpResponse:
        upload = own_upload(request, number)
        return done_and_told(
            request,
            lambda: drop_upload(upload, **who(request)),
            reverse("admin:import_kinds"),
            _("%(file)s was deleted; nothing of it was imported.") % {"file": upload.file_name},
        )

    def _preview(self, request: HttpRequest, upload: QueuedImport) -> HttpResponse:
        context: dict[str, Any] = {"kind": get_kind(upload.kind)}
        try:
            context |= preview_context(preview_upload(upload, **who(request)))
        except (ImportRefused, UploadClosed) as refusal:
            context["refusal"] = refusal.message
        before = LegacyImport.objects.filter(kind=upload.kind, sha256=upload.sha256).first()
        return self._answer(
            request,
            "preview",
            title=upload.file_name,
            upload=upload,
            before=before,
            steps=steps_at(2),
            **context,
        )

    def _working(self, request: HttpRequest, upload: QueuedImport) -> HttpResponse:
        return self._answer(
            request,
            "working",
            title=upload.file_name,
            upload=upload,
            steps=steps_at(3),
            **_progress(upload),
        )

    def _result(self, request: HttpRequest, upload: QueuedImport) -> HttpResponse:
        done = upload.legacy_import
        return self._answer(
            request,
            "result",
            title=upload.file_name,
            upload=upload,
            steps=steps_at(4),
            **({} if done is None else result_context(request, done)),
        )

    def _answer(self, request: HttpRequest, page: str, **context: Any) -> HttpResponse:
        every = self._site.each_context(request)
        return TemplateResponse(request, f"{_TEMPLATES}/{page}.html", {**every, **context})


def preview_context(preview: Preview) -> dict[str, Any]:
    """A preview as its page shows it."""
    told = preview.as_json()
    for row in told["rows"]:
        row["label"], row["tone"] = STATUSES[RowStatus(row["status"])]
        # what is in both columns already is said once
        row["values"] = list(row["values"].items())
    return {
        "preview": told,
        "to_import": told["imported"] + told["updated"],
        "looked_at": LOOKED_AT,
        "has_tables": len({row["table"] for row in (*told["rows"], *told["rejected"])}) > 1,
        "facts": facts(
            (_("Format"), told["format"]),
            (_("Encoding"), told["encoding"]),
            (_("SHA-256"), told["sha256"]),
        ),
    }


def may_see_rejected(request: HttpRequest) -> bool:
    """Whether the person may look at rejected lines of whatever import."""
    seen = ("view_legacyimport", "view_rejectedline")
    return all(request.user.has_perm(f"migrations_tools.{right}") for right in seen)


def result_context(request: HttpRequest, done: LegacyImport) -> dict[str, Any]:
    """What became of a file, and what comes next."""
    try:
        kind: ImportKind | None = get_kind(done.kind)
    except ImportRefused:  # of an app that is gone
        kind = None
    return {
        "done": done,
        "kind": kind,
        "may_see_rejected": may_see_rejected(request) or done.actor_id == request.user.pk,
        "next_url": migration_address(kind.migration) if kind and kind.migration else "",
    }


def migration_address(name: str) -> str:
    """The page of a data migration; empty where there is none."""
    try:
        return reverse("admin:migrations_tools_run_definition", args=[name])
    except NoReverseMatch:
        return ""


def _progress(upload: QueuedImport) -> dict[str, Any]:
    return {"status": import_status(upload), "is_over": upload.state != State.QUEUED}


def _refuse_without_import(request: HttpRequest) -> None:
    refuse_deed(request, "import", deed="import legacy files")


def _raising(error: Exception) -> Any:
    def fail() -> None:
        raise error

    return fail
