"""What is refused as a whole, before anything of it is kept."""

from __future__ import annotations

from migrations_tools.exceptions import ImportRefused


class WorkbookRefused(ImportRefused):
    """A workbook that cannot be read at all. ``code`` says why."""

    code = "workbook_refused"
