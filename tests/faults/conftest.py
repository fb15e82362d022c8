from collections.abc import Iterator

import pytest

from tests.faults.processes import Processes


@pytest.fixture
def processes(process_environment: dict[str, str]) -> Iterator[Processes]:
    started = Processes(process_environment)
    yield started
    started.close()
