"""REST API of guarantees: parses and renders; selectors and services hold the rules."""
