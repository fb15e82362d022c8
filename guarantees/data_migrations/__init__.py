"""Data migrations of the guarantee department; importing this package registers them."""

from guarantees.data_migrations import split_imported_records

__all__ = ["split_imported_records"]
