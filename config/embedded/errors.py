"""What can go wrong with the embedded server."""


class EmbeddedServerError(Exception):
    """The embedded server cannot be used; the message says how to go on."""
