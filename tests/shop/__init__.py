"""A small shop for tests of the engine: it knows no product domain."""
