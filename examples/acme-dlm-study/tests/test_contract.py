"""What dlm asks of every augmenter, asked of ours."""

from __future__ import annotations

from dlm.testing import AugmenterContract


class TestJargon(AugmenterContract):
    name = "acme/jargon"
    plugin_module = "acme_dlm_study.plugin"
    options = {"words": {"lamp": ["lantern"]}}  # noqa: RUF012
