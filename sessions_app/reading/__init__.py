"""How values of the legacy systems are read, one module for each of them. Nothing here asks a
database.
"""
