"""What people do with lessons: every change is one named action (lessons.md "API behaviour").

Actions take who acts as ``acting_user`` and, where time matters, a ``clock``; they refuse by an
error of `sessions_app.lesson_errors`, and what they write has a history row. Lessons are named by
their public ``session_id``, bookings by their id.
"""

from sessions_app.services.lessons.attending import check_in, give_feedback, record_attendance
from sessions_app.services.lessons.booking import book_lesson, cancel_booking, confirm_booking
from sessions_app.services.lessons.creating import create_lesson
from sessions_app.services.lessons.credits import adjust_credits
from sessions_app.services.lessons.reviewing import change_review, review_performance
from sessions_app.services.lessons.updating import (
    change_lesson_status,
    delete_lesson,
    update_lesson,
)
from sessions_app.services.lessons.values import LessonValues

__all__ = [
    "LessonValues",
    "adjust_credits",
    "book_lesson",
    "cancel_booking",
    "change_lesson_status",
    "change_review",
    "check_in",
    "confirm_booking",
    "create_lesson",
    "delete_lesson",
    "give_feedback",
    "record_attendance",
    "review_performance",
    "update_lesson",
]
