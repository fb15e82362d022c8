"""Sessions of every kind and who takes part in them; one proxy for each kind."""

from sessions_app.models.activity import ActivityEvent, Actor
from sessions_app.models.file import SessionFile
from sessions_app.models.kinds import (
    AgentSession,
    CollaborationSession,
    ContestSession,
    LessonSession,
)
from sessions_app.models.lessons import (
    ACTIVE_BOOKINGS,
    DEFAULT_CAPACITY,
    DEFAULT_CREDIT_COST,
    HIGHEST_RATING,
    LOWEST_RATING,
    RUNNING_SEMESTERS,
    Attendance,
    AttendanceStatus,
    Booking,
    BookingStatus,
    Cohort,
    CreditReason,
    CreditTransaction,
    Delivery,
    Feedback,
    InstructorQualification,
    Lesson,
    LessonProject,
    PerformanceReview,
    Semester,
    SemesterStatus,
)
from sessions_app.models.participant import (
    PARTICIPANT_TRANSITIONS,
    ParticipantRole,
    ParticipantStatus,
    SessionParticipant,
)
from sessions_app.models.people import LegacyIdentity, Profile, Role
from sessions_app.models.project import UNASSIGNED_ID, UNASSIGNED_NAME, Project, ProjectStatus
from sessions_app.models.session import (
    SESSION_TRANSITIONS,
    Session,
    SessionKind,
    SessionStatus,
)
from sessions_app.models.staging import LegacyCollaborationRow
from sessions_app.models.switch import ProjectSwitch, SwitchState

__all__ = [
    "ACTIVE_BOOKINGS",
    "DEFAULT_CAPACITY",
    "DEFAULT_CREDIT_COST",
    "HIGHEST_RATING",
    "LOWEST_RATING",
    "PARTICIPANT_TRANSITIONS",
    "RUNNING_SEMESTERS",
    "SESSION_TRANSITIONS",
    "UNASSIGNED_ID",
    "UNASSIGNED_NAME",
    "ActivityEvent",
    "Actor",
    "AgentSession",
    "Attendance",
    "AttendanceStatus",
    "Booking",
    "BookingStatus",
    "Cohort",
    "CollaborationSession",
    "ContestSession",
    "CreditReason",
    "CreditTransaction",
    "Delivery",
    "Feedback",
    "InstructorQualification",
    "LegacyCollaborationRow",
    "LegacyIdentity",
    "Lesson",
    "LessonProject",
    "LessonSession",
    "ParticipantRole",
    "ParticipantStatus",
    "PerformanceReview",
    "Profile",
    "Project",
    "ProjectStatus",
    "ProjectSwitch",
    "Role",
    "Semester",
    "SemesterStatus",
    "Session",
    "SessionFile",
    "SessionKind",
    "SessionParticipant",
    "SessionStatus",
    "SwitchState",
]
