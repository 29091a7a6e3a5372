"""PyTorch, transformers and PEFT for dlm and sway.

``for_dlm`` and ``for_sway`` only describe what is on offer. ``model``, ``render``, ``packing`` and ``adapters`` do the
one job both faces share: a base, a tokenizer, an adapter, and numbers from them.
"""

import logging
import os

# A CPU thread that has finished its part of a product spins until the others have: thirty times as long as the work
# when another program holds their core. Read once, when torch is imported; with it, threads sleep after microseconds.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

# PEFT imports it where it is installed, and on some processors it then advises to fetch kernels from a hub.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
