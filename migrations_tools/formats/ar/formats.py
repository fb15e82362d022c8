"""Numbers on Arabic pages as banks in Saudi Arabia write them: 1,234.50, as forms read them too.

Django has Arabic days; instants follow them, with the hour after the day.
"""

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
DATETIME_FORMAT = "j F، Y، g:i A"
SHORT_DATETIME_FORMAT = "d\u200f/m\u200f/Y g:i A"
