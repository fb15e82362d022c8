"""Addresses below ``/api/v1/``."""

from django.urls import path

from sessions_app.api import (
    bookings,
    calendar,
    collaboration,
    contest_sessions,
    lesson_deeds,
    lessons,
    participants,
    progress,
)

urlpatterns = [
    path("sessions/", collaboration.SessionListView.as_view(), name="api-sessions"),
    path("sessions/<str:session_id>/", collaboration.SessionView.as_view(), name="api-session"),
    path("sessions/<str:session_id>/accept/", collaboration.AcceptView.as_view()),
    path("sessions/<str:session_id>/leave/", collaboration.LeaveView.as_view()),
    path("sessions/<str:session_id>/archive/", collaboration.ArchiveView.as_view()),
    path("sessions/<str:session_id>/restore/", collaboration.RestoreView.as_view()),
    path("sessions/<str:session_id>/transfer/", collaboration.TransferView.as_view()),
    path("sessions/<str:session_id>/active-users/", collaboration.ActiveUsersView.as_view()),
    path("sessions/<str:session_id>/access/", collaboration.AccessView.as_view()),
    path("sessions/<str:session_id>/files/", collaboration.FilesView.as_view()),
    path("sessions/<str:session_id>/invite/", participants.InviteView.as_view()),
    path("sessions/<str:session_id>/participants/", participants.ParticipantListView.as_view()),
    path(
        "sessions/<str:session_id>/participants/<path:email>/",
        participants.ParticipantView.as_view(),
        name="api-participant",
    ),
    path("lessons/", lessons.LessonListView.as_view(), name="api-lessons"),
    path("lessons/<str:lesson>/", lessons.LessonView.as_view(), name="api-lesson"),
    path("lessons/<str:lesson>/status/", lessons.LessonStatusView.as_view()),
    path("lessons/<str:lesson>/book/", lesson_deeds.BookLessonView.as_view()),
    path("lessons/<str:lesson>/bookings/", lesson_deeds.LessonBookingsView.as_view()),
    path("lessons/<str:lesson>/waitlist/", lesson_deeds.LessonWaitlistView.as_view()),
    path("lessons/<str:lesson>/check-in/", lesson_deeds.CheckInView.as_view()),
    path("lessons/<str:lesson>/attendance/", lesson_deeds.LessonAttendanceView.as_view()),
    path("lessons/<str:lesson>/feedback/", lesson_deeds.LessonFeedbackView.as_view()),
    path("bookings/", bookings.BookingListView.as_view(), name="api-bookings"),
    path("bookings/<int:booking>/", bookings.BookingView.as_view(), name="api-booking"),
    path("bookings/<int:booking>/cancel/", bookings.CancelBookingView.as_view()),
    path("bookings/<int:booking>/confirm/", bookings.ConfirmBookingView.as_view()),
    path("bookings/<int:booking>/check-in/", bookings.CheckInBookingView.as_view()),
    path("bookings/<int:booking>/attendance/", bookings.BookingAttendanceView.as_view()),
    path("calendar/", calendar.CalendarView.as_view()),
    path("calendar.ics", calendar.CalendarFeedView.as_view()),
    path("contest-sessions/", contest_sessions.ContestSessionListView.as_view()),
    # old ids hold whatever somebody called a session, a slash perhaps
    path(
        "contest-sessions/<path:session_id>/document/",
        contest_sessions.ContestDocumentView.as_view(),
    ),
    path(
        "contest-sessions/<path:session_id>/",
        contest_sessions.ContestSessionView.as_view(),
        name="api-contest-session",
    ),
    path("progress/", progress.OwnProgressView.as_view()),
    path("progress/cohort/", progress.CohortProgressView.as_view()),
    path("progress/<path:username>/", progress.ProgressView.as_view()),
]
