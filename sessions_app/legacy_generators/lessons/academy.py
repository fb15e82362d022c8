"""Rows of an academy, each by its id. Whatever others refer to depends on the id alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

Row = dict[str, Any]

BOOKINGS_PER_LESSON: Final = 16
LESSONS_PER_SEMESTER: Final = 40
COHORTS_PER_SEMESTER: Final = 4
_WAITLISTED_FROM: Final = 13  # place among the bookings of a lesson; the last one is cancelled
_STUDENTS_PER_INSTRUCTOR: Final = 20
_MOST_STUDENTS: Final = 600
_INSTRUCTORS_TEACHING: Final = 5

_FIRST_DAY: Final = datetime(2024, 1, 8)  # noqa: DTZ001 - the old system wrote naive times
_SEMESTER: Final = timedelta(days=168)

_TITLES: Final = ("Passing under pressure", "First touch", "Pressing", "Finishing", "Set pieces")
_NAMES: Final = ("Ada", "Béla", "Chidi", "Dunja", "Emre", "Fatima", "Gergő", "Hana", "نور", "يوسف")
_SPECIALIZATIONS: Final = ("player", "coach", "goalkeeping")
_PLACES: Final = (("Hall 1", "Budapest"), ("Pitch 4", "Győr"), ("North field", "Pécs"))


def semester_of(lesson: int) -> int:
    return 1 + (lesson - 1) // LESSONS_PER_SEMESTER


def lesson_of(booking: int) -> int:
    return 1 + (booking - 1) // BOOKINGS_PER_LESSON


def place_of(booking: int) -> int:
    """Its place among the bookings of its lesson, from 1."""
    return 1 + (booking - 1) % BOOKINGS_PER_LESSON


def instructor_of(semester: int) -> int:
    """People 1, 22, 43 … are instructors."""
    return 1 + (_STUDENTS_PER_INSTRUCTOR + 1) * ((semester - 1) % _INSTRUCTORS_TEACHING)


def student_of(booking: int) -> int:
    """No student twice in a lesson. The more lessons there were, the more students there are."""
    lesson = lesson_of(booking)
    students = min(12 * lesson + 4, _MOST_STUDENTS)
    number = 1 + (lesson * 5 + place_of(booking)) % students
    return number + 1 + (number - 1) // _STUDENTS_PER_INSTRUCTOR


def begins_at(lesson: int) -> datetime:
    place = (lesson - 1) % LESSONS_PER_SEMESTER
    return (
        _FIRST_DAY
        + _SEMESTER * (semester_of(lesson) - 1)
        + timedelta(days=4 * place, hours=8 + lesson % 9)
    )


def semester(number: int, rng: Random) -> Row:
    begin = _FIRST_DAY + _SEMESTER * (number - 1)
    venue, city = rng.choice(_PLACES)
    return {
        "id": number,
        "code": f"{begin.year}-{number:03}",
        "name": f"Semester {number}",
        "start_date": begin.date().isoformat(),
        "end_date": (begin + _SEMESTER - timedelta(days=1)).date().isoformat(),
        "status": rng.choice(("ongoing", "ready_for_enrollment", "completed", "draft")),
        "is_active": True,
        "master_instructor_id": instructor_of(number),
        "location_venue": venue,
        "location_city": city,
        "location_address": f"Main street {number}",
    }


def cohort(number: int, rng: Random) -> Row:
    return {
        "id": number,
        "name": f"U{12 + rng.randrange(8)} group {number}",
        "semester_id": 1 + (number - 1) // COHORTS_PER_SEMESTER,
    }


def person(number: int, rng: Random) -> Row:
    is_instructor = number % (_STUDENTS_PER_INSTRUCTOR + 1) == 1
    return {
        "id": number,
        "name": f"{rng.choice(_NAMES)} {number}",
        "email": f"person{number}@example.com",
        "role": "instructor" if is_instructor else "student",
        "is_active": True,
        "specialization": rng.choice(_SPECIALIZATIONS),
        "credit_balance": rng.randrange(20),
    }


def lesson(number: int, rng: Random) -> Row:
    begin, own_semester = begins_at(number), semester_of(number)
    mode = rng.choice(("offline", "offline", "online", "hybrid"))
    link = f"https://meet.example.com/lesson/{number}" if mode == "online" else None
    return {
        "id": number,
        "title": f"{rng.choice(_TITLES)} {number}",
        "description": "Bring water.",
        "date_start": str(begin),
        "date_end": str(begin + timedelta(minutes=90)),
        "mode": mode,
        "session_type": None,
        "capacity": 12 + rng.randrange(9),
        "location": "" if mode == "online" else rng.choice(_PLACES)[0],
        "meeting_link": link,
        "semester_id": own_semester,
        "group_id": COHORTS_PER_SEMESTER * (own_semester - 1) + 1 + number % COHORTS_PER_SEMESTER,
        "instructor_id": instructor_of(own_semester),
        "credit_cost": rng.randrange(4),
        "target_specialization": rng.choice(("", *_SPECIALIZATIONS)),
        "mixed_specialization": rng.random() < 0.2,
        "session_status": "scheduled",
        "sport_type": "football",
        "level": rng.choice(("beginner", "advanced")),
        "created_at": str(begin - timedelta(days=60)),
    }


def booking(number: int, rng: Random) -> Row:
    place, made_at = place_of(number), begins_at(lesson_of(number)) - timedelta(days=20)
    row: Row = {
        "id": number,
        "user_id": student_of(number),
        "session_id": lesson_of(number),
        "status": "confirmed",
        "waitlist_position": None,
        "cancelled_at": None,
        "created_at": str(made_at + timedelta(hours=place, minutes=rng.randrange(60))),
    }
    if place == BOOKINGS_PER_LESSON:
        row |= {"status": "cancelled", "cancelled_at": str(made_at + timedelta(days=2))}
    elif place >= _WAITLISTED_FROM:
        row |= {"status": "waitlisted", "waitlist_position": place - _WAITLISTED_FROM + 1}
    return row


def attendance(number: int, rng: Random) -> Row:
    """The old system marked everybody on the list, whether they had a seat or not."""
    lesson_id = lesson_of(number)
    has_seat = place_of(number) < _WAITLISTED_FROM
    status = rng.choice(("present", "present", "late", "excused")) if has_seat else "absent"
    came = status in ("present", "late")
    return {
        "id": number,
        "booking_id": number,
        "user_id": student_of(number),
        "session_id": lesson_id,
        "status": status,
        "check_in_time": str(begins_at(lesson_id) + timedelta(minutes=rng.randrange(-15, 20)))
        if came
        else None,
    }


def feedback(number: int, rng: Random) -> Row:
    lesson_id = lesson_of(number)
    return {
        "id": number,
        "user_id": student_of(number),
        "session_id": lesson_id,
        "rating": rng.randrange(2, 11) / 2,
        "comment": rng.choice((None, "", "Great!", "شكرا", "Too “short”")),
        "created_at": str(begins_at(lesson_id) + timedelta(hours=2 + rng.randrange(20))),
    }


def lesson_project(number: int, rng: Random) -> Row:
    return {
        "id": number,
        "project_id": 1 + rng.randrange(9),
        "session_id": number,
        "is_required": rng.random() < 0.5,
    }
