"""dlm's own section types keep the promises asked of everyone's."""

from __future__ import annotations

from dlm.testing import SectionContract


class TestProse(SectionContract):
    name = "prose"
    plugin_module = "dlm.builtin"
    good = "# The lamp\n\nIt stands in the cellar.\n\n## Its switch\n\nThe switch is behind the door."


class TestInstruction(SectionContract):
    name = "instruction"
    plugin_module = "dlm.builtin"
    good = "### Q\nWhere is the lamp?\n### Q\nIn which room is the lamp?\n### A\nIn the cellar."
    bad = ("### Q\nWhere is the lamp?\n### A\nIn the cellar.\n\n### Q\nWho switches it on?\n", 6)
