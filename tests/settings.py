"""Settings of the test suite: those of the product, with a home of its own and no HTTPS.

The home is apart from the user's, so that tests never touch the data of a demonstration; all
worker processes share its one server, each with a database of its own.
"""

import os

from config.home import carryover_home

os.environ["CARRYOVER_HOME"] = os.environ.setdefault(
    "CARRYOVER_TEST_HOME", str(carryover_home() / "test-home")
)
os.environ.setdefault("CARRYOVER_HTTPS", "false")
os.environ.setdefault("LOG_LEVEL", "WARNING")

from config.settings import *  # noqa: F403 (after the environment that it reads)

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
INSTALLED_APPS += ["tests.shop"]  # noqa: F405 (from the product's settings)
