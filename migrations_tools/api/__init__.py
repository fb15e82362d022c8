"""What every part of the API shares: one envelope of errors, 401 for strangers, pages."""
