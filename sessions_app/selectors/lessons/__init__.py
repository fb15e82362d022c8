"""What people see of lessons. Every function takes whose eyes; what is hidden is not there."""

from sessions_app.selectors.lessons.bookings import (
    BookingItem,
    booking_item,
    booking_rows,
    bookings_of_lesson,
    get_booking,
    my_lessons,
    visible_bookings,
)
from sessions_app.selectors.lessons.calendar import calendar_events, icalendar, icalendar_feed
from sessions_app.selectors.lessons.filters import LessonFilters
from sessions_app.selectors.lessons.items import LessonItem
from sessions_app.selectors.lessons.listing import (
    DEFAULT_PAGE_SIZE,
    LARGEST_PAGE_SIZE,
    LessonPage,
    get_lesson,
    list_lessons,
)
from sessions_app.selectors.lessons.viewers import (
    Clock,
    Viewer,
    find_lesson,
    is_staff_of,
    public_id_of,
    system_clock,
    viewer_of,
    visible_to,
)

__all__ = [
    "DEFAULT_PAGE_SIZE",
    "LARGEST_PAGE_SIZE",
    "BookingItem",
    "Clock",
    "LessonFilters",
    "LessonItem",
    "LessonPage",
    "Viewer",
    "booking_item",
    "booking_rows",
    "bookings_of_lesson",
    "calendar_events",
    "find_lesson",
    "get_booking",
    "get_lesson",
    "icalendar",
    "icalendar_feed",
    "is_staff_of",
    "list_lessons",
    "my_lessons",
    "public_id_of",
    "system_clock",
    "viewer_of",
    "visible_bookings",
    "visible_to",
]
