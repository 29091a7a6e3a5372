"""MLX for dlm and sway: answers, scores and converted adapters. Training is not here.

``for_dlm`` and ``for_sway`` only describe. An adapter is read and converted without MLX (:mod:`.adapter_file`,
:mod:`.folding`, :mod:`.converting`); everything else loads it.
"""
