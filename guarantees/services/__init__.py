"""What is done with guarantees. Admin, API and commands call these; none of them
holds a rule of its own.
"""
