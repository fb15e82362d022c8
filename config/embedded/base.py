"""A database engine for Django that starts the embedded server when it does not answer."""

from typing import Any

from django.conf import settings
from django_prometheus.db.backends.postgresql import base as postgresql

from config.embedded.server import EmbeddedServer


class DatabaseWrapper(postgresql.DatabaseWrapper):
    """PostgreSQL that is started, or started again after a crash, by whoever finds it gone.

    Nothing is looked up as long as connections succeed, so there is no moment at which a process
    trusts a stale note that the server runs.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        server = EmbeddedServer(settings.CARRYOVER_HOME)
        server.check_socket_directory()
        try:
            return super().get_new_connection(conn_params)
        except self.Database.OperationalError:
            server.ensure_running()
        return super().get_new_connection(conn_params)
