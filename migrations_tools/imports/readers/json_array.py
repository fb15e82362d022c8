"""One JSON array of documents, on one line or many.

The array is cut into its items here, so that each keeps its text and line, and a damaged item is
rejected alone. (A streaming parser such as ijson stops for good at the first fault, and gives
neither line numbers nor the text.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from migrations_tools.imports.readers.base import MAX_ROW, Item, Rejection, SourceTable
from migrations_tools.imports.readers.documents import DocumentParser
from migrations_tools.imports.readers.files import TextFile
from migrations_tools.imports.readers.json_lines import invalid_encoding, row_too_large
from migrations_tools.imports.readers.text import repaired

_CHUNK = 2**20  # characters
_BETWEEN = re.compile(r"[\s,]*")
# What the end of a damaged item is told by: brackets; strings, the unclosed ones to the end of
# their line; and lines that start with an object.
_STRING = re.compile(r'"(?:[^"\\\n]++|\\.)*+"?', re.DOTALL)
_TOKEN = re.compile(
    rf"(?P<bracket>[{{}}\[\]])|{_STRING.pattern}|\n(?P<indent>[ \t]*)(?=\{{)", re.DOTALL
)
_SCALAR_END = re.compile(r"[,\]\n]")


class JsonArray(SourceTable):
    """Commas between items are not insisted on."""

    def __init__(self, file: TextFile) -> None:
        self._file = file

    def position(self) -> float:
        return self._file.position()

    def __iter__(self) -> Iterator[Item]:
        text = _Window(self._file)
        text.skip(_BETWEEN)
        text.take(1)  # the opening bracket
        parser = DocumentParser()
        while True:
            text.skip(_BETWEEN)
            line = text.line
            if text.starts_with("]"):
                break
            if text.exhausted:
                yield Rejection(line, "truncated", _("The file ends inside the array."))
                return
            item = self._item(parser, text, line)
            yield item
            if isinstance(item, Rejection) and item.code == "truncated":
                return
        text.take(1)
        text.skip(_BETWEEN)
        if not text.exhausted:
            detail = _("There is more text after the end of the array.")
            yield Rejection(text.line, "trailing_text", detail, text.take(1000))

    def _item(self, parser: DocumentParser, text: _Window, line: int) -> Item:
        encoding = self._file.encoding
        while True:
            found = parser.parse_prefix(text.buffer, text.start, line)
            if found is not None and found[0].text is not None:
                record, after = found
                verbatim = text.take(after - text.start)
                if repaired(verbatim, encoding) is verbatim:
                    return record
                break
            end = _end_of_item(text.buffer, text.start, text.column)
            if end is not None:
                verbatim = text.take(end - text.start)
                break
            if text.size >= MAX_ROW:
                return row_too_large(line, text.take(text.size))
            if not text.extend():
                rest = text.take(text.size)
                return Rejection(line, "truncated", _("The file ends inside this item."), rest)
        sound = repaired(verbatim, encoding)
        return invalid_encoding(line, verbatim) if sound is None else parser.parse(sound, line)


class _Window:
    """The unread part of a text, as much of it as is needed, and the line it starts in."""

    def __init__(self, file: TextFile) -> None:
        self._read = file.rewound(newline="\n").read
        self.buffer = ""
        self.start = 0
        self.line = 1

    @property
    def size(self) -> int:
        return len(self.buffer) - self.start

    @property
    def column(self) -> int:
        """How far the start is from the beginning of its line."""
        return self.start - (self.buffer.rfind("\n", 0, self.start) + 1)

    @property
    def exhausted(self) -> bool:
        return not self.size and not self.extend()

    def extend(self) -> bool:
        """Read more; whether there was more."""
        more = self._read(_CHUNK)
        line_start = self.buffer.rfind("\n", 0, self.start) + 1
        line_start = max(line_start, self.start - 1000)  # only indentation is asked for
        self.buffer = self.buffer[line_start:] + more
        self.start -= line_start
        return bool(more)

    def starts_with(self, sign: str) -> bool:
        return not self.exhausted and self.buffer.startswith(sign, self.start)

    def take(self, length: int) -> str:
        end = min(self.start + length, len(self.buffer))
        taken = self.buffer[self.start : end]
        self.line += taken.count("\n")
        self.start = end
        return taken

    def skip(self, pattern: re.Pattern[str]) -> None:
        """Go past what matches here, which may reach further than what has been read so far."""
        while self.size or self.extend():
            match = pattern.match(self.buffer, self.start)
            self.take(match.end() - self.start if match else 0)
            if self.size:
                return


def _end_of_item(text: str, start: int, column: int) -> int | None:
    """Where an item that cannot be parsed ends, None if ``text`` does not reach that far.

    A closing bracket closes whatever is still open inside its pair. A line that starts with an
    object and is indented no deeper than the item starts the next one.
    """
    if text[start] not in "{[":
        after = _STRING.match(text, start)
        match = _SCALAR_END.search(text, after.end() if after else start + 1)
        return None if match is None else match.start()
    pairs = {"}": "{", "]": "["}
    open_brackets: list[str] = []
    for token in _TOKEN.finditer(text, start):
        bracket, indent = token["bracket"], token["indent"]
        if indent is not None and len(indent) <= column:
            return token.start()
        if bracket is None:
            continue
        if bracket in "{[":
            open_brackets.append(bracket)
        elif pairs[bracket] in open_brackets:
            while open_brackets.pop() != pairs[bracket]:
                pass
            if not open_brackets:
                return token.end()
        elif bracket == "]":
            return token.start()  # the end of the array
    return None
