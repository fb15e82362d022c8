"""Files that outlive a journal: writing a backup, and testing that one could be restored.

A backup is gzip'd JSON lines (`format`): a header, each batch followed by its ledger and journal
entries, the transitions, and an end line with counts and the SHA-256 of all lines before it.
"""
