from collections.abc import Iterator

import pytest

from tests.faults.forks import Forks
from tests.faults.processes import Processes


@pytest.fixture
def processes(process_environment: dict[str, str]) -> Iterator[Processes]:
    started = Processes(process_environment)
    yield started
    started.close()


@pytest.fixture
def forks(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Forks]:
    """Forked workers; leases last a second."""
    monkeypatch.setenv("CARRYOVER_LEASE_SECONDS", "1")
    started = Forks()
    yield started
    started.close()
