"""The training academy: semesters, lessons, who books them, and what is recorded of them."""

from sessions_app.models.lessons.booking import (
    ACTIVE_BOOKINGS,
    Booking,
    BookingStatus,
    CreditReason,
    CreditTransaction,
)
from sessions_app.models.lessons.lesson import (
    DEFAULT_CAPACITY,
    DEFAULT_CREDIT_COST,
    Delivery,
    Lesson,
    LessonProject,
    is_web_address,
)
from sessions_app.models.lessons.records import (
    HIGHEST_RATING,
    LOWEST_RATING,
    Attendance,
    AttendanceStatus,
    Feedback,
    PerformanceReview,
)
from sessions_app.models.lessons.semester import (
    RUNNING_SEMESTERS,
    Cohort,
    InstructorQualification,
    Semester,
    SemesterStatus,
)
from sessions_app.models.lessons.staging import (
    LegacyAttendance,
    LegacyBooking,
    LegacyCohort,
    LegacyFeedback,
    LegacyLesson,
    LegacyLessonProject,
    LegacySemester,
)

__all__ = [
    "ACTIVE_BOOKINGS",
    "DEFAULT_CAPACITY",
    "DEFAULT_CREDIT_COST",
    "HIGHEST_RATING",
    "LOWEST_RATING",
    "RUNNING_SEMESTERS",
    "Attendance",
    "AttendanceStatus",
    "Booking",
    "BookingStatus",
    "Cohort",
    "CreditReason",
    "CreditTransaction",
    "Delivery",
    "Feedback",
    "InstructorQualification",
    "LegacyAttendance",
    "LegacyBooking",
    "LegacyCohort",
    "LegacyFeedback",
    "LegacyLesson",
    "LegacyLessonProject",
    "LegacySemester",
    "Lesson",
    "LessonProject",
    "PerformanceReview",
    "Semester",
    "SemesterStatus",
    "is_web_address",
]
