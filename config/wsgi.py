"""The WSGI application that servers load."""

import os

import django

from migrations_tools.api.charsets import CarefulWSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

application = CarefulWSGIHandler()
