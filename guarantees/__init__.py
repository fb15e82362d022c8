"""Bank guarantees: suppliers, banks, import batches, guarantees and their immutable actions.

The staged rows of the legacy system live here too, with the data migration that splits them up.
Uses the engine in `migrations_tools`; knows nothing of sessions.
"""
