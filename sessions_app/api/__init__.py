"""REST API of sessions: parses and renders; selectors and services hold the rules."""
