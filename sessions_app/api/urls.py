"""Addresses below ``/api/v1/``."""

from django.urls import path

from sessions_app.api.lessons import LessonListView

urlpatterns = [path("lessons/", LessonListView.as_view(), name="api-lessons")]
