"""Names as they stand in such a department's files."""

from __future__ import annotations

from typing import Final, NamedTuple


class BankNames(NamedTuple):
    code: str
    english: str
    arabic: str
    alias: str


BANKS: Final = (
    BankNames("SNB", "Saudi National Bank", "البنك الأهلي السعودي", "AL AHLI BANK"),
    BankNames("RJHI", "Al Rajhi Bank", "مصرف الراجحي", "ALRAJHI BANKING"),
    BankNames("RIBL", "Riyad Bank", "بنك الرياض", "RIYADH BANK"),
    BankNames("SABB", "Saudi Awwal Bank", "البنك السعودي الأول", "SABB"),
    BankNames("BSF", "Banque Saudi Fransi", "البنك السعودي الفرنسي", "SAUDI FRANSI"),
    BankNames("ANB", "Arab National Bank", "البنك العربي الوطني", "ARAB NATIONAL"),
    BankNames("ALBI", "Bank Albilad", "بنك البلاد", "AL BILAD"),
    BankNames("BJAZ", "Bank Aljazira", "بنك الجزيرة", "AL JAZIRA"),
    BankNames("INMA", "Alinma Bank", "مصرف الإنماء", "AL INMA"),
    BankNames("SIB", "Saudi Investment Bank", "البنك السعودي للاستثمار", "SAIB"),
    BankNames("GIB", "Gulf International Bank", "بنك الخليج الدولي", "GIB KSA"),
    BankNames("NBD", "Emirates NBD", "بنك الإمارات دبي الوطني", "EMIRATES NBD PJSC"),
)

#: English and Arabic side by side; a supplier's name is one of each column.
FIRST_WORDS: Final = (
    ("Advanced", "المتقدمة"), ("Gulf", "الخليج"), ("National", "الوطنية"), ("Najd", "نجد"),
    ("Red Sea", "البحر الأحمر"), ("Eastern", "الشرقية"), ("Modern", "الحديثة"), ("Arab", "العربية"),
    ("Unified", "المتحدة"), ("Horizon", "الأفق"), ("Pioneer", "الرائدة"), ("Al Noor", "النور"),
    ("Desert", "الصحراء"), ("Pearl", "اللؤلؤة"), ("Falcon", "الصقر"), ("Summit", "القمة"),
)  # fmt: skip
TRADES: Final = (
    ("Medical Supplies", "للمستلزمات الطبية"), ("Contracting", "للمقاولات"),
    ("Trading", "للتجارة"), ("Information Technology", "لتقنية المعلومات"),
    ("Maintenance", "للصيانة"), ("Laboratories", "للمختبرات"), ("Catering", "للتموين"),
    ("Security Services", "للخدمات الأمنية"), ("Engineering", "للهندسة"), ("Energy", "للطاقة"),
    ("Logistics", "للخدمات اللوجستية"), ("Furniture", "للأثاث"),
)  # fmt: skip
FORMS: Final = (
    ("Company", "شركة"), ("Establishment", "مؤسسة"), ("Co. Ltd.", "شركة"), ("Group", "مجموعة"),
)  # fmt: skip

GUARANTEE_TYPES: Final = ("final", "advance payment", "initial", "ابتدائي", "نهائي", "دفعة مقدمة")
COMMENTS: Final = (
    None, None, None, "", "received by hand", "ورد بالبريد", "see “contract” file, page 2",
)  # fmt: skip
