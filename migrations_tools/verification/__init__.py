"""Proving that what a run wrote is there, unchanged and complete (SPEC §2.6).

One module per question: journal, keys, rows, references, and the definition's own checks.
"""
