"""How Carryover is set up: settings, URLs, logs, Celery, the embedded servers and `make serve`.

No other package imports this one (an import contract holds it).
"""

from config.celery import app as celery_app

__all__ = ["celery_app"]
