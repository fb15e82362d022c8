"""The Celery application: the doorbell of the queue that lies in the database (REDIS_URL set)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("carryover")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
