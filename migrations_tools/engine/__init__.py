"""The engine: claims batches, carries them over in one transaction each, undoes, verifies.

It knows definitions and its own models, and no domain.
"""
