"""Numbers on Arabic pages as banks in Saudi Arabia write them: 1,234.50, as forms read them too."""

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
