"""Admin pages of the engine: imports, data migrations, runs, reviews, cutover, accounts.

`base` has what admin pages of every app have in common.
"""

from migrations_tools.admin import accounts, cutovers, imports, ledger, reviews, runs

__all__ = ["accounts", "cutovers", "imports", "ledger", "reviews", "runs"]
