"""``make bench``: our speed beside that of other ways to do the same work (SPEC §8).

Contenders take turns on fresh copies of the same staged data, each in a process of its own; what
is compared are ratios within one run. A benchmark never asserts a time.
"""
