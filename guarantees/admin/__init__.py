"""Admin pages of the department: short declarations; what is immutable is read-only."""

from guarantees.admin import actions, batches, dictionaries, guarantees, staging

__all__ = ["actions", "batches", "dictionaries", "guarantees", "staging"]
