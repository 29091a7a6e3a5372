"""The ``dlm`` command: :mod:`.main` is the group, every other module is one command, imported when it is run."""
