"""A proxy before PostgreSQL that cuts a worker's connection at a chosen moment, once."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from tests.faults.forks import Deed


@dataclass(frozen=True)
class Moment:
    """On a connection that said all of ``after``, when it says ``then``: cut.

    ``answer_lost``: the server still gets it, and does it; only its answer is lost.
    """

    after: tuple[bytes, ...]
    then: bytes
    answer_lost: bool = False


class CuttingProxy:
    """Listens in a folder of its own, as the server does in its own, and passes bytes through."""

    def __init__(self, folder: Path, moment: Moment) -> None:
        self.folder, self.moment = folder, moment
        self.cuts = 0
        port = connection.settings_dict["PORT"] or "5432"
        host = connection.settings_dict["HOST"]
        name = f".s.PGSQL.{port}"
        self._server: Any = str(Path(host) / name) if host.startswith("/") else (host, int(port))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / name))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def through(self, deed: Deed) -> Deed:
        """``deed``, done over connections that pass through here."""

        def do() -> None:
            connection.settings_dict["HOST"] = str(self.folder)
            deed()

        return do

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                family = socket.AF_UNIX if isinstance(self._server, str) else socket.AF_INET
                server = socket.socket(family)
                server.connect(self._server)
                threading.Thread(target=self._upwards, args=(client, server), daemon=True).start()
                threading.Thread(target=_copy, args=(server, client), daemon=True).start()

    def _upwards(self, client: socket.socket, server: socket.socket) -> None:
        """What the worker says, until the moment comes."""
        left = list(self.moment.after)
        with suppress(OSError):
            while data := client.recv(1 << 20):
                while left and left[0] in data:
                    left.pop(0)
                if not left and not self.cuts and self.moment.then in data:
                    self.cuts += 1
                    _close(client)
                    if self.moment.answer_lost:
                        server.sendall(data)
                        server.settimeout(10)
                        while server.recv(1 << 20):  # until it has done it
                            server.shutdown(socket.SHUT_WR)
                    break
                server.sendall(data)
        _close(client)
        _close(server)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 20):
            target.sendall(data)
    _close(source)
    _close(target)


def _close(closing: socket.socket) -> None:
    with suppress(OSError):
        closing.shutdown(socket.SHUT_RDWR)
    closing.close()
