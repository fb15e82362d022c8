from __future__ import annotations

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def no_throttle() -> None:
    """What other tests asked for does not count."""
    cache.clear()
