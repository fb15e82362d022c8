"""Excel workbooks as departments keep them: opened with suspicion, headings recognised, rows
streamed in constant memory (guarantees.md "Running the department").
"""

from guarantees.workbooks.cells import Unreadable
from guarantees.workbooks.headings import Column, column_of
from guarantees.workbooks.reading import OpenWorkbook, WorkbookRow, open_workbook

__all__ = [
    "Column",
    "OpenWorkbook",
    "Unreadable",
    "WorkbookRow",
    "column_of",
    "open_workbook",
]
