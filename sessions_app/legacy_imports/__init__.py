"""What is imported of the legacy systems, one module for each of them."""

from sessions_app.legacy_imports import agents, collaboration, contests, lessons

__all__ = ["agents", "collaboration", "contests", "lessons"]
