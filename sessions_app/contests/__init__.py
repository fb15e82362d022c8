"""What a contest session is: reading its documents, finding its problems, working out analytics.

Pure: no database, no clock. The data migration and the saving service use the same.
"""
