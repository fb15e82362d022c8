"""The subcommands of ``manage.py datamigrate``, a module for each kind of task."""
