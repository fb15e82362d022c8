"""Headings of columns, and labels of pasted texts: English and Arabic, by whole words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

_LONGEST: Final = 120  # characters; what is longer is a text and no heading
_LETTERS: Final = str.maketrans(
    "أإآٱةىئؤ", "ااااهييو", "".join(map(chr, range(0x64B, 0x653))) + "ـ"
)
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_WORD: Final = re.compile(r"[\W_]+")
_INITIALS: Final = re.compile(r"(?<!\S)[a-z](?: [a-z])+(?!\S)")
_ARTICLE: Final = re.compile(r"^ال(?=.{3})")


class Column(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    SUPPLIER = "supplier"
    BANK = "bank"
    AMOUNT = "amount"
    CURRENCY = "currency"
    CONTRACT = "contract"
    ORDER = "purchase_order"
    CONTRACT_OR_ORDER = "contract_or_order"  # one column for both
    ISSUE_DATE = "issue_date"
    EXPIRY_DATE = "expiry_date"
    TYPE = "type"
    COMMENT = "comment"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GUARANTEE: Final = _words(
    "guarantee guarantees gurantee garantee guarentee gaurantee guaranty bg lg bond "
    "ضمان ضمانه ضمانات كفاله خطاب"
)
_NUMBER: Final = _words("number no nr num nbr ref reference رقم مرجع")
_DATE: Final = _words("date dated تاريخ")
_ISSUE: Final = _words("issue issued issuance issuing start اصدار صدور بدايه بدء")
_EXPIRY: Final = _words(
    "expiry expiration expires expire maturity validity valid انتهاء صلاحيه سريان"
)
_END: Final = _words("end ending due until نهايه استحقاق")
_AMOUNT: Final = _words("amount amt value sum مبلغ قيمه")
_CONTRACT: Final = _words("contract contracts agreement عقد عقود تعاقد")
_ORDER: Final = _words("po lpo شراء") | _words("order orders")
_BANK: Final = _words("bank banks بنك مصرف")
_SUPPLIER: Final = _words(
    "supplier suppliers vendor vendors contractor contractors subcontractor company applicant "
    "مورد موردين مقاول متعهد شركه موسسه"
)
_PROJECT: Final = _words("project مشروع")
_TIME: Final = _words("period days months duration مده فتره ايام")
_CODE: Final = _NUMBER | _words("code id swift cr vat رمز كود سجل")

#: Words that make any heading something that guarantees do not keep.
_NOTHING: Final = _words(
    "deposit commission fee fees percentage percent account iban branch phone mobile email fax "
    "address words status رسوم عموله نسبه حساب فرع هاتف جوال بريد عنوان كتابه حروف حاله"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A heading is ``column`` if it has a word of each group and none of ``without``.

    With ``only``, it has no word beside those either.
    """

    column: Column
    groups: tuple[frozenset[str], ...]
    without: frozenset[str] = frozenset()
    only: frozenset[str] | None = None

    def fits(self, words: frozenset[str]) -> bool:
        if words & self.without or (self.only is not None and not words <= self.only):
            return False
        return all(words & group for group in self.groups)


_OF_CONTRACTS: Final = _CONTRACT | _ORDER | _PROJECT
_NOT_A_REFERENCE: Final = _DATE | _AMOUNT | _words("name title subject type party اسم موضوع نوع")

#: The first rule that fits says what the column holds.
_RULES: Final = (
    _Rule(
        Column.COMMENT,
        (_words("comment comments remark remarks note notes ملاحظات ملاحظه تعليق تعليقات"),),
    ),
    _Rule(Column.CURRENCY, (_words("currency ccy curr عمله"),)),
    _Rule(Column.TYPE, (_words("type kind نوع"),), without=_OF_CONTRACTS | _SUPPLIER),
    _Rule(Column.ISSUE_DATE, (_ISSUE, _DATE), without=_OF_CONTRACTS),
    _Rule(Column.ISSUE_DATE, (_ISSUE,), only=_ISSUE | _GUARANTEE | _words("on")),
    _Rule(Column.EXPIRY_DATE, (_EXPIRY,), without=_OF_CONTRACTS | _TIME),
    _Rule(Column.EXPIRY_DATE, (_END, _DATE), without=_OF_CONTRACTS | _TIME),
    _Rule(Column.AMOUNT, (_AMOUNT, _GUARANTEE)),
    _Rule(Column.AMOUNT, (_AMOUNT,), without=_OF_CONTRACTS | _words("paid remaining متبقي مدفوع")),
    _Rule(Column.NUMBER, (_GUARANTEE, _NUMBER), without=_DATE),
    _Rule(Column.CONTRACT_OR_ORDER, (_CONTRACT, _ORDER), without=_NOT_A_REFERENCE),
    _Rule(Column.CONTRACT, (_CONTRACT,), without=_NOT_A_REFERENCE | _GUARANTEE),
    _Rule(Column.ORDER, (_ORDER,), without=_NOT_A_REFERENCE | _GUARANTEE),
    _Rule(Column.SUPPLIER, (_SUPPLIER,), without=_CODE | _DATE | _GUARANTEE),
    _Rule(Column.BANK, (_BANK,), without=_CODE | _DATE | _GUARANTEE),
    _Rule(Column.BANK, (_words("جهه"), _words("اصدار مصدره")), without=_DATE),
)


@lru_cache(maxsize=4_096)
def column_of(heading: str) -> Column | None:
    """What a column with this heading holds; None for what guarantees do not keep.

    Only whole words count: a ``CONTRACTOR`` is a supplier and no contract.
    """
    if len(heading) > _LONGEST:
        return None
    words = _heading_words(heading)
    if not words or words & _NOTHING:
        return None
    return next((rule.column for rule in _RULES if rule.fits(words)), None)


def _heading_words(heading: str) -> frozenset[str]:
    """The words as the rules have them: small letters, no article, ``L/G`` as ``lg``."""
    parted = _HUMP.sub(" ", unicodedata.normalize("NFKC", heading))
    text = " ".join(_NO_WORD.sub(" ", parted.translate(_LETTERS).casefold()).split())
    text = _INITIALS.sub(lambda found: found[0].replace(" ", ""), text)
    return frozenset(_ARTICLE.sub("", word) for word in text.split())
