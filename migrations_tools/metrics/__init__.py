"""Figures for Prometheus: of requests, counted as they are answered, and of runs, read from their
rows when somebody asks. No label names a person, a key, or anything that people typed.
"""
