"""CARRYOVER_HOME: the one folder that the program writes to, and the secrets it keeps there."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def carryover_home() -> Path:
    """CARRYOVER_HOME as an absolute path; without it `var` beside manage.py."""
    return Path(os.environ.get("CARRYOVER_HOME") or REPOSITORY / "var").expanduser().resolve()


def read_or_create_secret(path: Path, create: Callable[[], str]) -> str:
    """The text of a file that only its owner can read, made with `create` if it is not there.

    Any number of processes may ask at once: the text is written beside the file and then linked to
    its name, which only the first can do, so nobody reads half a secret or a second one.
    """
    with suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8").strip()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(create() + "\n")
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
    return path.read_text(encoding="utf-8").strip()
