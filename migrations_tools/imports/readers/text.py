"""Text in the encodings that old systems export: UTF-8, UTF-16, Windows-1256 (SPEC §7).

Text is decoded so that no byte is lost: what is not valid becomes lone surrogates, and each row
decides for itself whether it can be understood another way. So a damaged line never spoils the
lines around it, and a file may even mix encodings.
"""

from __future__ import annotations

import codecs
import io
import re

_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

# What Arabic or French text in Windows-1256 has outside ASCII. Damaged UTF-8 read that way has
# other signs between its letters (ظ„ط§) and is refused.
_ARABIC = "\u0621-\u0652"
_LATIN = "àâçèéêëîïôùûüœŒ"
_SIGNS = "\xa0«»°·×÷–—‘’“”…•،؛؟€®™\u200c\u200d\u200e\u200f"
_PLAIN = re.compile(rb"[\x20-\x7e]{2}")
_WINDOWS_1256 = re.compile(f"[\x00-\x7f{_ARABIC}{_LATIN}{_SIGNS}]*")
_WORD = re.compile(f"[{_ARABIC}]{{2}}|[A-Za-z][{_LATIN}]|[{_LATIN}][A-Za-z]")


def detect_encoding(head: bytes) -> str:
    """The encoding of a file that starts with ``head``: by its mark, else by its zeros.

    In UTF-16 a good part of the characters, the separators at least, have one zero byte, always on
    the same side. A file that begins with two plain letters or signs is none, however many zeros
    stand in damaged lines below: there they would be one Chinese character.
    """
    for mark, encoding in _BOMS.items():
        if head.startswith(mark):
            return encoding
    if _PLAIN.match(head):
        return "utf-8"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > max(1, len(head) // 20, 10 * min(even, odd)):
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8"


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Undecodable bytes as lone surrogates, for every encoding (PEP 383 does it for UTF-8)."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    invalid = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + max(byte, 0x80)) for byte in invalid), error.end


codecs.register_error("carryover.escape", _escape)


def open_text(file: io.BufferedReader, encoding: str, *, newline: str) -> io.TextIOWrapper:
    """``file`` as text whose undecodable bytes are lone surrogates; see `repaired`."""
    return io.TextIOWrapper(file, encoding, errors="carryover.escape", newline=newline)


def repaired(text: str, encoding: str) -> str | None:
    """``text`` itself if it is sound, else what it says in Windows-1256, else None."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        if encoding.startswith("utf-16"):
            return None
        return windows_1256(text.encode(errors="surrogateescape"))
    return text


def windows_1256(raw: bytes) -> str | None:
    """What bytes that are not UTF-8 say in Windows-1256, None unless that has words in it."""
    text = raw.decode("cp1256")
    return text if _WINDOWS_1256.fullmatch(text) and _WORD.search(text) else None
