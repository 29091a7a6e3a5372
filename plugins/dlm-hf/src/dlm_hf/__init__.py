"""PyTorch, transformers and PEFT for dlm and sway.

``for_dlm`` and ``for_sway`` only describe what is on offer. ``model``, ``render``, ``packing`` and ``adapters`` do the one
job both faces share: a base, a tokenizer, an adapter, and numbers from them.
"""
