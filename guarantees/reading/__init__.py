"""Reading values as people write them: amounts, dates, instants (guarantees.md "Reading values").

Pure functions: text in, value out, or `ValueNotUnderstood` with a code and a sentence. Only
`day_first` reads a setting, for those who ask them.
"""

from guarantees.reading.amounts import read_amount
from guarantees.reading.dates import day_first, read_date
from guarantees.reading.errors import ValueNotUnderstood
from guarantees.reading.instants import read_legacy_instant

__all__ = ["ValueNotUnderstood", "day_first", "read_amount", "read_date", "read_legacy_instant"]
