"""What a collaboration session is and what may be done with it, whichever system keeps it
(collaboration.md "Living with both systems"). Pure: no database, no clock.
"""
