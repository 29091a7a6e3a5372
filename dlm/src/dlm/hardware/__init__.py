"""What this machine can do: its facts, what a run needs of it, and what must not be tried. Nothing here loads a model.

Facts of accelerators come from a backend, through :meth:`dlm.training.backend.Backend.hardware`; what a run needs, from
:meth:`~dlm.training.backend.Backend.estimate`.
"""
