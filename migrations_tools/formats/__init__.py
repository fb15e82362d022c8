"""Formats of languages where Django's are not those that the organisation writes."""
