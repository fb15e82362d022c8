"""The workbook wizard: upload, look at every row, confirm, result; and rejected rows to fetch."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language_bidi, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guarantees.admin.judged_rows import headings_shown, shown_rows
from guarantees.models import ImportBatch, RejectedRow
from guarantees.selectors.rejected import rejected_headings, rejected_table
from guarantees.services.import_reports import PREVIEWED
from guarantees.services.workbook_uploads import (
    WORKBOOK,
    batch_of,
    commit_workbook,
    preview_upload,
    receive_workbook,
)
from migrations_tools.admin.imports.pages import (
    UploadForm,
    chunks_of,
    done_and_told,
    own_upload,
    steps_at,
)
from migrations_tools.admin.pages import refuse_deed, who
from migrations_tools.exceptions import CarryoverError, ImportRefused
from migrations_tools.imports.preview import LOOKED_AT
from migrations_tools.models import QueuedImport
from migrations_tools.selectors.imports import import_status
from migrations_tools.services.uploads import drop_upload
from migrations_tools.tables_out import xlsx_file

State = QueuedImport.State

_TEMPLATES = "admin/guarantees/importbatch"
_SHOWN = 200  # rows of a page
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class WorkbookForm(UploadForm):
    """The workbook, and which of its sheets."""

    sheet = forms.CharField(
        label=gettext_lazy("Sheet"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Leave it blank for the first sheet that has guarantees."),
    )


class WorkbookWizard:
    """The pages, for the ``get_urls`` of batches."""

    def __init__(self, site: AdminSite) -> None:
        self._site = site

    def urls(self) -> list[URLPattern]:
        wrap = self._site.admin_view
        number = "uploads/<int:number>/"
        commit, drop = require_POST(self.commit), require_POST(self.drop)
        return [
            path("upload/", wrap(self.upload), name="guarantees_workbook_new"),
            path(number, wrap(self.page), name="guarantees_workbook"),
            path(f"{number}progress/", wrap(self.progress), name="guarantees_workbook_progress"),
            path(f"{number}commit/", wrap(commit), name="guarantees_workbook_commit"),
            path(f"{number}drop/", wrap(drop), name="guarantees_workbook_drop"),
            path(f"{number}rejected.xlsx", wrap(self.rejected), name="guarantees_upload_rejected"),
        ]

    def upload(self, request: HttpRequest) -> HttpResponse:
        """The form; a good workbook goes on to its preview."""
        refuse_without_add(request)
        posted = (request.POST, request.FILES) if request.method == "POST" else ()
        form = WorkbookForm(*posted)
        if posted and form.is_valid():
            chunks, name = chunks_of(form)
            try:
                upload = receive_workbook(
                    chunks,
                    file_name=name,
                    sheet=form.cleaned_data["sheet"] or None,
                    **who(request),
                )
            except ImportRefused as refusal:
                form.add_error("file", refusal.message)
            else:
                return HttpResponseRedirect(_address_of(upload))
        return self._answer(
            request, "upload", title=_("Import a workbook"), form=form, steps=steps_at(1)
        )

    def page(self, request: HttpRequest, number: int) -> HttpResponse:
        """What the upload is at: its preview, the worker's progress, or its result."""
        upload = own_upload(request, number, WORKBOOK)
        refuse_without_add(request)
        if upload.state == State.UPLOADED:
            return self._preview(request, upload)
        batch = batch_of(upload)
        at = 3 if upload.state == State.QUEUED else 4
        return self._answer(
            request,
            "result",
            title=upload.file_name,
            upload=upload,
            batch=batch,
            status=import_status(upload),
            is_over=upload.state != State.QUEUED,
            steps=steps_at(at),
        )

    def progress(self, request: HttpRequest, number: int) -> HttpResponse:
        """The part of the page that changes while a worker is at it."""
        upload = own_upload(request, number, WORKBOOK)
        context = {"status": import_status(upload), "is_over": upload.state != State.QUEUED}
        return TemplateResponse(request, "admin/migrations_tools/imports/progress.html", context)

    def commit(self, request: HttpRequest, number: int) -> HttpResponse:
        upload = own_upload(request, number, WORKBOOK)
        confirm = request.POST.get("again") == "yes"
        return done_and_told(
            request,
            lambda: commit_workbook(upload, confirm=confirm, **who(request)),
            _address_of(upload),
        )

    def drop(self, request: HttpRequest, number: int) -> HttpResponse:
        upload = own_upload(request, number, WORKBOOK)
        return done_and_told(
            request,
            lambda: drop_upload(upload, **who(request)),
            reverse("admin:guarantees_workbook_new"),
            _("%(file)s was deleted; nothing of it was imported.") % {"file": upload.file_name},
        )

    def rejected(self, request: HttpRequest, number: int) -> HttpResponseBase:
        """Rejected rows of an upload that made no batch."""
        upload = own_upload(request, number, WORKBOOK)
        return rejected_xlsx(RejectedRow.objects.filter(upload=upload), f"rejected-{number}.xlsx")

    def _preview(self, request: HttpRequest, upload: QueuedImport) -> HttpResponse:
        context: dict[str, Any] = {}
        try:
            report = preview_upload(upload, **who(request))
        except CarryoverError as refusal:
            context["refusal"] = refusal.message
        else:
            context = {
                "report": report,
                "looked_at": LOOKED_AT,
                "needs_review": report.accepted - report.ready,
                "headings": headings_shown(report.headings),
                "rejected": shown_rows(report.rejected[:_SHOWN]),
                "rows": shown_rows(
                    row for row in report.rows[:PREVIEWED] if row.judged.entry is not None
                )[:_SHOWN],
                "before": ImportBatch.objects.filter(pk=report.imported_before or 0).first(),
            }
        return self._answer(
            request,
            "preview",
            title=upload.file_name,
            upload=upload,
            steps=steps_at(2),
            **context,
        )

    def _answer(self, request: HttpRequest, page: str, **context: Any) -> HttpResponse:
        every = self._site.each_context(request)
        return TemplateResponse(request, f"{_TEMPLATES}/{page}.html", {**every, **context})


def rejected_of_batch(request: HttpRequest, batch: int) -> HttpResponseBase:
    """Rejected rows of a batch; the caller has seen to the permission."""
    get_object_or_404(ImportBatch, pk=batch)
    return rejected_xlsx(RejectedRow.objects.filter(batch=batch), f"rejected-of-{batch}.xlsx")


def rejected_xlsx(rows: Any, name: str) -> HttpResponseBase:
    """Rows as a workbook that can be mended and sent again."""
    made = xlsx_file(rejected_headings(), rejected_table(rows), right_to_left=get_language_bidi())
    return FileResponse(made, as_attachment=True, filename=name, content_type=_XLSX)


def refuse_without_add(request: HttpRequest) -> None:
    refuse_deed(request, "guarantees.add_guarantee", deed="import guarantees")


def _address_of(upload: QueuedImport) -> str:
    return reverse("admin:guarantees_workbook", args=[upload.pk])
