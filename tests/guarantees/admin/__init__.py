"""The department in the admin."""
