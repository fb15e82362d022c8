"""What the guarantee department keeps: dictionaries, batches, guarantees, immutable actions –
and the staged rows of its old system (guarantees.md). Models hold data and constraints only.
"""

from guarantees.models.action import ActionSession, ActionStatus, ActionType, GuaranteeAction
from guarantees.models.bank import Bank, BankAlias
from guarantees.models.batch import BatchKind, ImportBatch
from guarantees.models.guarantee import Guarantee, GuaranteeStatus, MatchStatus
from guarantees.models.rejected import RejectedRow
from guarantees.models.staging import ImportedRecord, ImportSession
from guarantees.models.supplier import Supplier, SupplierAlias, SupplierOverride

__all__ = [
    "ActionSession",
    "ActionStatus",
    "ActionType",
    "Bank",
    "BankAlias",
    "BatchKind",
    "Guarantee",
    "GuaranteeAction",
    "GuaranteeStatus",
    "ImportBatch",
    "ImportSession",
    "ImportedRecord",
    "MatchStatus",
    "RejectedRow",
    "Supplier",
    "SupplierAlias",
    "SupplierOverride",
]
