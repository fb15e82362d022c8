"""The steps of ``upgrade_lessons``: what each row of the training academy becomes."""
