"""Trackers for ``dlm train --track``: :mod:`.board` writes for TensorBoard, :mod:`.wandb_run` for Weights & Biases.

Both draw the same numbers under the same names, made in :mod:`.scalars`. No text of a document leaves through here but
its title.
"""
