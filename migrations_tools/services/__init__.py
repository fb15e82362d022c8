"""Actions: each checks permission, changes, and records – for every surface alike."""
