"""The standard probes of sway. Registration is in :mod:`.plugin`; each probe is a module of its own."""
