"""What the tests of a data migration need: it is pure, it can be taken back, no crash harms it.

Each function takes the migration's name and works on rows that are staged already. Use them where
the test's database commits: ``django_db(transaction=True)``, or ``TransactionTestCase``.
"""

from migrations_tools.testing.crashes import assert_crash_safe
from migrations_tools.testing.purity import assert_pure
from migrations_tools.testing.reversal import assert_reversible
from migrations_tools.testing.snapshots import Snapshot, differences, take_snapshot
from migrations_tools.testing.soundness import assert_sound

__all__ = [
    "Snapshot",
    "assert_crash_safe",
    "assert_pure",
    "assert_reversible",
    "assert_sound",
    "differences",
    "take_snapshot",
]
