"""Probes that compare texts by their meaning. :mod:`.embedding` finds and loads the model that does."""
