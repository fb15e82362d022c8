"""What groups of people may do with sessions (SPEC §6; docs/rights.md).

What is about single people – feedback, reviews, profiles, identities – is not for auditors.
"""

from django.db import migrations

from migrations_tools.operations import GrantPermissions

_EVIDENCE = [
    "project",
    "activityevent",
    "session",
    "sessionparticipant",
    "sessionfile",
    "projectswitch",
    "collaborationsession",
    "agentsession",
    "contestsession",
    "lessonsession",
    "problem",
    "contestresult",
    "problemattempt",
    "semester",
    "cohort",
    "lesson",
    "lessonproject",
    "instructorqualification",
    "booking",
    "credittransaction",
    "attendance",
    "legacycollaborationrow",
    "legacycontestsession",
    "legacysemester",
    "legacycohort",
    "legacylesson",
    "legacybooking",
    "legacyattendance",
    "legacylessonproject",
]

_PEOPLE = [
    "feedback",
    "legacyfeedback",
    "performancereview",
    "profile",
    "legacyidentity",
    "contestsave",
]

_REVIEWED = [
    "project",
    "activityevent",
    "session",
    "collaborationsession",
    "agentsession",
    "contestsession",
    "lessonsession",
    "projectswitch",
]

_RUN = [
    "project",
    "collaborationsession",
    "agentsession",
    "contestsession",
    "lessonsession",
    "session",
    "sessionparticipant",
    "sessionfile",
    "problem",
    "profile",
    "semester",
    "cohort",
    "instructorqualification",
    "lesson",
    "lessonproject",
    "booking",
    "attendance",
]

_MADE = [
    "project",
    "sessionparticipant",
    "problem",
    "semester",
    "cohort",
    "instructorqualification",
    "lesson",
    "lessonproject",
    "booking",
    "attendance",
    "credittransaction",
]

_TAKEN = ["sessionparticipant", "lesson", "lessonproject", "instructorqualification"]

_TAUGHT = [
    "project",
    "lessonsession",
    "semester",
    "cohort",
    "instructorqualification",
    "lesson",
    "lessonproject",
    "booking",
    "attendance",
    "feedback",
    "performancereview",
]


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0009_incomplete_attempts"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        GrantPermissions(
            "Operator",
            [
                *(f"view_{model}" for model in (*_EVIDENCE, *_PEOPLE)),
                *(f"change_{model}" for model in _RUN),
                *(f"add_{model}" for model in _MADE),
                *(f"delete_{model}" for model in _TAKEN),
            ],
        ),
        GrantPermissions("Reviewer", [f"view_{model}" for model in _REVIEWED]),
        GrantPermissions("Auditor", [f"view_{model}" for model in _EVIDENCE]),
        GrantPermissions(
            "Instructor",
            [
                "add_lesson",
                "change_lesson",
                "add_lessonproject",
                "delete_lessonproject",
                "change_booking",
                "add_attendance",
                "change_attendance",
                "add_performancereview",
                "change_performancereview",
                *(f"view_{model}" for model in _TAUGHT),
            ],
        ),
    ]
