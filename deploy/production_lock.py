"""`python deploy/production_lock.py`: deploy/requirements.lock, what production installs.

It is the part of requirements.lock that the product and its extra `pdf` need: no tests, no embedded
PostgreSQL. Versions and hashes are those of requirements.lock. Run it after `make lock`.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parent.parent
LOCK: Final = ROOT / "deploy" / "requirements.lock"
EXTRAS: Final = ("pdf",)
_HEAD: Final = "# Made by deploy/production_lock.py from requirements.lock.\n"
_ENTRY: Final = re.compile(r"^([A-Za-z0-9._-]+)==.*?(?=^[A-Za-z0-9#]|\Z)", re.MULTILINE | re.DOTALL)


def production_lock() -> str:
    """The text of the lock; packages have to be installed, as by `make install`."""
    text = (ROOT / "requirements.lock").read_text()
    entries = {canonicalize_name(found[1]): found[0] for found in _ENTRY.finditer(text)}
    wanted = _closure(_own_requirements()) & entries.keys()
    return _HEAD + "".join(entries[name].rstrip() + "\n" for name in sorted(wanted))


def _own_requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = list(project["dependencies"])
    for extra in EXTRAS:
        named += project["optional-dependencies"][extra]
    return [Requirement(line) for line in named]


def _closure(asked: list[Requirement]) -> set[str]:
    """Names of all that ``asked`` need, whatever the Python and the machine."""
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(each.name), frozenset(each.extras)) for each in asked]
    while waiting:
        name, extras = waiting.pop()
        for extra in {"", *extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for line in _requires(name):
                needed = Requirement(line)
                if _is_of(needed, extra):
                    waiting.append((canonicalize_name(needed.name), frozenset(needed.extras)))
    return {str(name) for name, _ in seen}


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:  # of other machines; the lock has it all the same
        return []


def _is_of(needed: Requirement, extra: str) -> bool:
    """Whether it is needed with ``extra``. Other markers are left to pip."""
    marker = str(needed.marker or "")
    named = re.findall(r"""extra == ["']([^"']+)["']""", marker)
    return extra in named if named else extra == ""


if __name__ == "__main__":
    LOCK.write_text(production_lock())
    sys.stdout.write(f"{LOCK.relative_to(ROOT)}\n")
