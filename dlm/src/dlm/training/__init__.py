"""A training run as data: records in, recipe, plan, events, gates, a committed version out.

No torch here: a :class:`~dlm.training.backend.Backend` does the work, :mod:`.run` tells the story in order.
"""
