"""What sway asks of every probe, asked of ours."""

from __future__ import annotations

from dlm_sway.testing import ProbeContract


class TestEcho(ProbeContract):
    name = "acme/echo"
    plugin_module = "acme_sway_probes.plugin"
