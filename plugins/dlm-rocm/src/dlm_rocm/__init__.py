"""AMD GPUs. :mod:`.for_dlm` describes; :mod:`.asking` finds them, :mod:`.trying` tries them, :mod:`.processors` knows
their names. Training itself is the backend's: PyTorch built for ROCm calls these GPUs ``cuda``."""
