"""What every target of ``dlm export`` must do, whoever wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .. import plugins
from ..entries import SinkEntry
from ..export.manifest import MANIFEST_FILE, artifacts_of
from ..export.sink import Sink
from .contract import forbid_overrides
from .startup import HEAVY, modules_after

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..export.run import Exported


class SinkContract:
    """Subclass as ``TestMySink``; set :attr:`name` and :attr:`plugin_module`, and give :meth:`export`. Your plugin must
    be installed, an editable install will do.

    A test may be overridden only to mark it ``xfail`` with a reason.
    """

    name: str
    plugin_module: str
    """The module of the entry point."""

    @pytest.fixture
    def export(self) -> Callable[[Path], Exported]:
        """Exports the same trained document for your target into the folder that it is given: :func:`dlm.export_to`
        with ``out``."""
        raise NotImplementedError(f"{type(self).__name__} gives no export fixture")

    def test_importing_the_plugin_module_is_cheap(self) -> None:
        assert not modules_after(f"import {self.plugin_module}") & HEAVY

    def test_looking_at_an_architecture_loads_no_model_library(self) -> None:
        entry = plugins.manager().entry("dlm_sinks", self.name).entry
        module, _, attribute = entry.target.partition(":")
        look = f"import {module}; {module}.{attribute}().refuses_architecture({{'model_type': 'llama'}})"
        assert not modules_after(look) & {"torch", "transformers", "mlx", "llama_cpp", "vllm"}

    def test_the_entry_says_what_the_sink_is(self) -> None:
        entry = plugins.manager().entry("dlm_sinks", self.name).entry
        assert isinstance(entry, SinkEntry)
        assert issubclass(plugins.manager().resolve("dlm_sinks", self.name), Sink)
        assert entry.forms
        assert set(entry.forms) <= {"merged", "adapter"}
        assert set(entry.uses) <= {"name", "template"}
        assert all(what.strip() for what in entry.settings.values())

    def test_an_architecture_is_told_from_its_name_alone_in_a_clause(self) -> None:
        sink = plugins.manager().resolve("dlm_sinks", self.name)()
        for kind in ("llama", "a kind that nobody makes"):
            why = sink.refuses_architecture({"model_type": kind})
            assert why is None or (why.strip() and "\n" not in why and not why.endswith("."))

    def test_files_are_listed_with_their_digests_and_hold_no_path_of_this_machine(
        self, export: Callable[[Path], Exported], tmp_path: Path
    ) -> None:
        out = tmp_path / "a place of my own" / "export"
        done = export(out)
        assert done.folder == out
        assert artifacts_of(out) == done.manifest.artifacts
        for path in sorted(out.rglob("*")):
            assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes(), f"{path.name} names this machine"
        assert (out / MANIFEST_FILE).is_file()
        assert [path.name for path in out.parent.iterdir()] == ["export"]

    def test_the_same_version_gives_the_same_files(self, export: Callable[[Path], Exported], tmp_path: Path) -> None:
        made = [
            {
                one.path: one.sha256
                for one in export(tmp_path / name).manifest.artifacts
                if one.path != "certificate.json"
            }
            for name in ("first", "second")
        ]
        assert made[0] == made[1]

    def test_an_export_that_was_moved_is_still_whole(self, export: Callable[[Path], Exported], tmp_path: Path) -> None:
        from ..export.verifying import differences

        done = export(tmp_path / "here")
        moved = done.folder.rename(tmp_path / "there")
        assert differences(moved, done.manifest) == []

    def test_the_contract_is_not_overridden(self) -> None:
        forbid_overrides(type(self), SinkContract)
