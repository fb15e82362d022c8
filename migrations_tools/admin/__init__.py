"""Admin pages of the engine: imports, data migrations, runs, reviews, cutover.

`base` has what admin pages of every app have in common.
"""

from migrations_tools.admin import cutovers, imports, ledger, reviews, runs

__all__ = ["cutovers", "imports", "ledger", "reviews", "runs"]
