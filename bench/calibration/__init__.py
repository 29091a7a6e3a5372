"""The parts of ``bench/calibration_study.py``: what is tested, on which models, and what the verdicts add up to."""
