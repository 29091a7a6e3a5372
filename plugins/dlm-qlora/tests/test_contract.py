"""What the plugin offers is listed under its names, and describing it loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

from dlm.testing import only_plugins
from dlm_hf.quantising import Quantiser, bits_of, for_scoring, for_training
from dlm_qlora import for_dlm
from dlm_qlora.nf4 import NF4


def test_both_cores_find_the_same_quantiser():
    assert isinstance(for_training("nf4"), NF4)
    assert isinstance(for_scoring("nf4"), NF4)
    assert for_training(None) is None
    assert bits_of("nf4") < 4.2
    assert issubclass(NF4, Quantiser)


def test_it_offers_what_it_says():
    with only_plugins(for_dlm) as plugins:
        assert set(plugins.offers("dlm_quantisers")) == {"nf4"}
        assert "qlora" in plugins.offers("dlm_accelerators")
        assert plugins.failures == []


def test_describing_loads_nothing_heavy():
    code = (
        "import sys, dlm_qlora.for_dlm, dlm_qlora.for_sway, dlm_qlora.refusing;"
        "print([name for name in ('torch', 'transformers', 'bitsandbytes') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
