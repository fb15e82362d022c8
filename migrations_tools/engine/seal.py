"""Digests of batches, and the chain that seals a run when it closes."""

from __future__ import annotations

import hashlib

from django.db import connection

from migrations_tools.engine.sql import BATCH_DIGEST
from migrations_tools.models import Batch, Run


def batch_digest(batch: Batch) -> bytes:
    """SHA-256 over the digests of all journal and ledger entries of the batch."""
    with connection.cursor() as cursor:
        cursor.execute(BATCH_DIGEST, {"batch": batch.pk})
        (digest,) = cursor.fetchone()
    return bytes(digest)


def run_seal(run: Run) -> bytes:
    """The batch digests chained in range order, whoever wrote them and when."""
    seal = hashlib.sha256(run.pk.bytes).digest()
    batches = Batch.objects.filter(run=run).order_by("step", "number")
    for step, number, digest in batches.values_list("step", "number", "digest"):
        link = f"{step}.{number}".encode() + bytes(digest or b"")
        seal = hashlib.sha256(seal + link).digest()
    return seal
