"""Files as the legacy systems could have exported them, one module for each of them."""

from sessions_app.legacy_generators import collaboration, lessons

__all__ = ["collaboration", "lessons"]
