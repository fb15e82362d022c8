"""The admin of the engine, and what admin pages of every app share."""
