"""Who runs the embedded server: PostgreSQL refuses to run as root.

For root another Unix account is found or made, and let through to the few folders that it needs.
"""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path

from config.embedded.errors import EmbeddedServerError

ACCOUNT_NAME = "carryover"


def server_account(data: Path) -> pwd.struct_passwd | None:
    """The account that the server of this data folder runs as; None: the one that asks."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        try:
            return pwd.getpwuid(owner)
        except KeyError:
            pass  # made on another machine, or before the accounts of this one were made anew
    return _dedicated_account()


def _dedicated_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        raise EmbeddedServerError(
            "PostgreSQL does not run as root, and there is no `useradd` here to make an account "
            "for it: run this as an ordinary user, or set DATABASE_URL."
        )
    # fmt: off
    subprocess.run(  # noqa: S603 (our own arguments)
        [useradd, "--system", "--no-create-home", "--home-dir", "/nonexistent",
         "--shell", "/usr/sbin/nologin", ACCOUNT_NAME],
        check=False, capture_output=True,
    )
    # fmt: on
    try:
        return pwd.getpwnam(ACCOUNT_NAME)  # made just now, perhaps by another process
    except KeyError as error:
        raise EmbeddedServerError(
            f"The Unix account `{ACCOUNT_NAME}` could not be made for PostgreSQL, which does not "
            "run as root: run this as an ordinary user, or set DATABASE_URL."
        ) from error


def give(folder: Path, account: pwd.struct_passwd) -> None:
    """Make the account the owner of the folder and of all that is in it."""
    os.chown(folder, account.pw_uid, account.pw_gid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), account.pw_uid, account.pw_gid, follow_symlinks=False)


def open_passage(paths: Iterable[Path]) -> list[Path]:
    """Let other accounts pass through (not list) the parents of the paths; returns the opened."""
    opened = []
    for folder in sorted({parent for path in paths for parent in path.absolute().parents}):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
            opened.append(folder)
    return opened


def open_programs(installation: Path) -> None:
    """Let other accounts read and run what is installed there, whatever the umask was."""
    for parent, _, files in os.walk(installation):
        for path in (Path(parent), *(Path(parent, name) for name in files)):
            mode = stat.S_IMODE(path.stat().st_mode)
            wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
            if mode != wanted:
                path.chmod(wanted)
