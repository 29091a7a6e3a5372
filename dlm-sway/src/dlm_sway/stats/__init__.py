"""The numbers behind a verdict: intervals, rank tests, margins, power.

Pure functions of floats: no models, no verdicts, no settings.
"""
