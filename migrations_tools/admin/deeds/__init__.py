"""What can be done with a run: which state and which right allow it, and what will happen."""

from migrations_tools.admin.deeds.forms import TuneForm
from migrations_tools.admin.deeds.table import (
    DEEDS,
    Deed,
    can_be_tuned,
    deed_called,
    deeds_of,
)

__all__ = [
    "DEEDS",
    "Deed",
    "TuneForm",
    "can_be_tuned",
    "deed_called",
    "deeds_of",
]
