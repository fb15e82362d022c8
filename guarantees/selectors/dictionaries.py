"""Suppliers and banks with all their names, in a constant number of queries."""

from __future__ import annotations

from guarantees.matching import (
    BANK_SIMILARITY,
    BANK_TIERS,
    SUPPLIER_SIMILARITY,
    SUPPLIER_TIERS,
    Dictionaries,
    Dictionary,
    Tier,
)
from guarantees.models import Bank, BankAlias, Supplier, SupplierAlias, SupplierOverride
from guarantees.names import normalize_name


def read_dictionaries() -> Dictionaries:
    """The dictionaries as they are now."""
    return Dictionaries(suppliers=_suppliers(), banks=_banks())


def _suppliers() -> Dictionary:
    """Names are normalised anew: whoever wrote a name may have left ``normalized_name`` blank."""
    suppliers = Dictionary(SUPPLIER_TIERS, SUPPLIER_SIMILARITY)
    for pk, name, display_name in Supplier.objects.values_list("pk", "name", "display_name"):
        suppliers.names[pk] = display_name or name
        for written in (name, display_name):
            suppliers.add(Tier.EXACT, normalize_name(written), pk)
    for tier, model in ((Tier.ALIAS, SupplierAlias), (Tier.OVERRIDE, SupplierOverride)):
        for pk, name in model._default_manager.values_list("supplier_id", "name"):
            suppliers.add(tier, normalize_name(name), pk)
    return suppliers


def _banks() -> Dictionary:
    banks = Dictionary(BANK_TIERS, BANK_SIMILARITY)
    columns = ("pk", "name_en", "name_ar", "short_code")
    for pk, name_en, name_ar, short_code in Bank.objects.values_list(*columns):
        banks.names[pk] = name_en or name_ar or short_code
        banks.add(Tier.SHORT_CODE, normalize_name(short_code), pk)
        for written in (name_en, name_ar):
            banks.add(Tier.EXACT, normalize_name(written), pk)
    for pk, name in BankAlias.objects.values_list("bank_id", "name"):
        banks.add(Tier.ALIAS, normalize_name(name), pk)
    return banks
