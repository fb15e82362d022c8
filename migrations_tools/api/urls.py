"""Addresses below ``/api/``."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from migrations_tools.api import definitions, events, run_actions, run_parts, runs
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
    path("runs/<str:run>/purge/", run_actions.PurgeView.as_view()),
    path("runs/<str:run>/ledger/", run_parts.LedgerView.as_view()),
    path("runs/<str:run>/changes/", run_parts.ChangeView.as_view()),
    path("runs/<str:run>/problems/", run_parts.ProblemView.as_view()),
    path("runs/<str:run>/transitions/", run_parts.TransitionView.as_view()),
    path("runs/<str:run>/batches/", run_parts.BatchView.as_view()),
    path("runs/<str:run>/checks/", run_parts.CheckView.as_view()),
    path("runs/<str:run>/events/", events.EventView.as_view()),
]

_version_1 = [
    path("auth/login/", LoginView.as_view(), name="api-login"),
    path("auth/logout/", LogoutView.as_view(), name="api-logout"),
    path("auth/logoutall/", LogoutAllView.as_view(), name="api-logoutall"),
    *_data_migrations,
    *_runs,
    path("me/", MeView.as_view(), name="api-me"),
]

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", DocumentationView.as_view(), name="api-docs"),
    path("v1/", include(_version_1)),
]
