"""The documents: every command in them is run, every table in them is compared with the code."""
