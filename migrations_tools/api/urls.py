"""Addresses below ``/api/``."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from migrations_tools.api import (
    comparing,
    cutovers,
    definitions,
    events,
    import_uploads,
    imports,
    keeping,
    operations,
    reports,
    reviews,
    run_actions,
    run_parts,
    runs,
    schedules,
)
from migrations_tools.api.documentation import DocumentationView
from migrations_tools.api.tokens import LoginView, LogoutAllView, LogoutView, MeView

_data_migrations = [
    path("data-migrations/", definitions.DefinitionListView.as_view(), name="api-data-migrations"),
    path(
        "data-migrations/<str:name>/",
        definitions.DefinitionView.as_view(),
        name="api-data-migration",
    ),
    path("data-migrations/<str:name>/plan/", definitions.PlanView.as_view()),
    path("data-migrations/<str:name>/dry-run/", definitions.DryRunView.as_view()),
    path("data-migrations/<str:name>/run/", definitions.RunNowView.as_view()),
    path("data-migrations/<str:name>/verify/", definitions.VerifyAllView.as_view()),
    path("data-migrations/<str:name>/compare/", comparing.ComparisonView.as_view()),
]

_runs = [
    path("runs/", runs.RunListView.as_view(), name="api-runs"),
    path("runs/<str:run>/", runs.RunView.as_view(), name="api-run"),
    path("runs/<str:run>/start/", run_actions.StartView.as_view()),
    path("runs/<str:run>/approve/", run_actions.ApproveView.as_view()),
    path("runs/<str:run>/pause/", run_actions.PauseView.as_view()),
    path("runs/<str:run>/resume/", run_actions.ResumeView.as_view()),
    path("runs/<str:run>/cancel/", run_actions.CancelView.as_view()),
    path("runs/<str:run>/retry/", run_actions.RetryView.as_view()),
    path("runs/<str:run>/verify/", run_actions.VerifyView.as_view()),
    path("runs/<str:run>/rollback/", run_actions.RollbackView.as_view()),
    path("runs/<str:run>/tune/", run_actions.TuneView.as_view()),
    path("runs/<str:run>/waive/", run_actions.WaiveView.as_view()),
    path("runs/<str:run>/purge/", keeping.PurgeView.as_view()),
    path("runs/<str:run>/erase/", keeping.EraseView.as_view()),
    path("runs/<str:run>/backups/", keeping.BackupListView.as_view()),
    path("runs/<str:run>/backups/<str:file>/", keeping.BackupView.as_view(), name="api-backup"),
    path("runs/<str:run>/backups/<str:file>/check/", keeping.BackupCheckView.as_view()),
    path("runs/<str:run>/ledger/", run_parts.LedgerView.as_view()),
    path("runs/<str:run>/changes/", run_parts.ChangeView.as_view()),
    path("runs/<str:run>/problems/", run_parts.ProblemView.as_view()),
    path("runs/<str:run>/problems/csv/", reports.ProblemFileView.as_view()),
    path("runs/<str:run>/transitions/", run_parts.TransitionView.as_view()),
    path("runs/<str:run>/batches/", run_parts.BatchView.as_view()),
    path("runs/<str:run>/checks/", run_parts.CheckView.as_view()),
    path("runs/<str:run>/report/", reports.ReportView.as_view()),
    path("runs/<str:run>/events/", events.EventView.as_view()),
]

_reviews = [
    path("reviews/", reviews.ReviewListView.as_view()),
    path("reviews/decide/", reviews.BulkDecisionView.as_view()),
    path("reviews/<int:number>/", reviews.ReviewView.as_view()),
    path("reviews/<int:number>/decide/", reviews.DecisionView.as_view()),
]

_cutovers = [
    path("cutovers/", cutovers.CutoverListView.as_view()),
    path("cutovers/<str:key>/", cutovers.CutoverView.as_view()),
    path("cutovers/<str:key>/rules/", cutovers.RulesView.as_view()),
    path("cutovers/<str:key>/mismatches/", cutovers.MismatchListView.as_view()),
    path("cutovers/<str:key>/mismatches/<int:number>/explain/", cutovers.ExplainView.as_view()),
]

_imports = [
    path("legacy-imports/", imports.LegacyImportListView.as_view()),
    path("legacy-imports/kinds/", imports.KindListView.as_view()),
    path("legacy-imports/uploads/", import_uploads.UploadListView.as_view()),
    path(
        "legacy-imports/uploads/<int:number>/",
        import_uploads.UploadView.as_view(),
        name="api-upload",
    ),
    path("legacy-imports/uploads/<int:number>/preview/", import_uploads.PreviewView.as_view()),
    path("legacy-imports/uploads/<int:number>/commit/", import_uploads.CommitView.as_view()),
    path("legacy-imports/<int:number>/", imports.LegacyImportView.as_view()),
    path("legacy-imports/<int:number>/rejected/", imports.RejectedLineView.as_view()),
    path("legacy-imports/<int:number>/rejected/csv/", imports.RejectedFileView.as_view()),
    path("legacy-imports/<int:number>/rejected/text/", imports.RejectedTextView.as_view()),
]

_operations = [
    path("schedules/", schedules.ScheduleListView.as_view()),
    path("schedules/<int:number>/", schedules.ScheduleView.as_view(), name="api-schedule"),
    path("health/", operations.HealthView.as_view()),
    path("governor/", operations.GovernorView.as_view()),
    path("governor/stop/", operations.StopView.as_view()),
    path("governor/go/", operations.GoView.as_view()),
]

_version_1 = [
    path("auth/login/", LoginView.as_view(), name="api-login"),
    path("auth/logout/", LogoutView.as_view(), name="api-logout"),
    path("auth/logoutall/", LogoutAllView.as_view(), name="api-logoutall"),
    *_data_migrations,
    *_runs,
    *_reviews,
    *_cutovers,
    *_imports,
    *_operations,
    path("me/", MeView.as_view(), name="api-me"),
]

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", DocumentationView.as_view(), name="api-docs"),
    path("v1/", include(_version_1)),
]
