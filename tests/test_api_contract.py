"""The API keeps what its description promises, whatever it is asked (schemathesis).

Everything is asked by somebody with all rights, over data of every kind: no server error, no
status and no answer that the description does not have.
"""

from __future__ import annotations

from typing import Final

EXAMPLES: Final = 12
