"""Cutting over from an old system to a new one while both run (SPEC §2.8).

A domain registers a key (`keys`) and asks its `switch` for every read and write; operators move the
key from stage to stage (`stages`, `moving`). `comparing` looks at both answers in shadow, `carried`
remembers what was written to both sides. Nothing here knows a domain.
"""
