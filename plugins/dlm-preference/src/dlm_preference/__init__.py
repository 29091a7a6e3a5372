"""Better and worse answers: the section type ``preference``, and the phase that learns from such sections.

:mod:`.section` makes records of them, :mod:`.phase` says for how long and by which loss they are trained. The losses
themselves are the backend's.
"""
