"""The embedded PostgreSQL: what runs under CARRYOVER_HOME when DATABASE_URL is not set.

A Django database engine (`base.py`) that starts a server (`server.py`) at the first connection of
any process. `python -m config.embedded start|stop|status` does the same by hand.
"""
