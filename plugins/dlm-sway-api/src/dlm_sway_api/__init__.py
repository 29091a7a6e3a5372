"""Scoring of models behind OpenAI-style endpoints. Start at :mod:`.for_sway`."""
