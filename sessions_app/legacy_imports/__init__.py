"""What is imported of the legacy systems, one module for each of them."""

from sessions_app.legacy_imports import agents, collaboration, lessons

__all__ = ["agents", "collaboration", "lessons"]
