"""The engine: data migrations planned, run in batches, verified, cut over and rolled back.

Definitions, runs, batches, ledger, journal, verification, rollback, cutover and legacy imports.
It knows no domain: any Django project can install it for data migrations of its own.
"""
