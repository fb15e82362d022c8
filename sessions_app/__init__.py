"""Sessions of every kind: collaboration, lessons, agents and contests, and who takes part in them.

The staged rows of the legacy systems live here too, with the data migrations that carry them over.
Uses the engine in `migrations_tools`; knows nothing of guarantees.
"""
