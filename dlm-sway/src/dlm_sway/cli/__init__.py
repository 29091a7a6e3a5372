"""The ``sway`` command: one module a subcommand. A command parses, calls one function, prints."""
