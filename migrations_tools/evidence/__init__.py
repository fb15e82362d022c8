"""The evidence bundle of a run: what an auditor is handed (SPEC §6)."""

from migrations_tools.evidence.bundle import check_bundle, write_bundle
from migrations_tools.evidence.gathering import evidence_of

__all__ = ["check_bundle", "evidence_of", "write_bundle"]
