"""Imports of legacy files (SPEC §3 "Imports", §7): readers turn files into rows, kinds say which
tables they belong to, tables put them into the database, and the service does it as one action.
"""
