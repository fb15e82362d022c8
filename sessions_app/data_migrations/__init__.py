"""The data migrations of the sessions, one module each."""
