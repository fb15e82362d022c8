"""Files as the legacy systems could have exported them, one module for each of them."""

from sessions_app.legacy_generators import agents, collaboration, contests, lessons

__all__ = ["agents", "collaboration", "contests", "lessons"]
