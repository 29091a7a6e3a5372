"""The ``.dlm`` folders inside a source, from the disk into rules. What the rules mean lies in :mod:`.rules`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ...document.findings import Findings
from .config import CONFIG, FOLDER, IGNORE, read_config, read_ignore

if TYPE_CHECKING:
    from ...document.findings import Report
    from ...errors import Finding
    from .config import TrainingConfig
    from .disk import Entry, Tree
    from .patterns import Patterns
    from .rules import Scope

_LONGEST = 1 << 20
_Read = TypeVar("_Read")


class FolderRules:
    """Reads each ``.dlm`` folder of one source once."""

    def __init__(self, tree: Tree, shown: Callable[[str], str], findings: list[Finding]) -> None:
        self._tree, self._shown, self._findings = tree, shown, findings
        self._read: dict[str, tuple[TrainingConfig | None, Patterns | None]] = {}

    def scope(self, path: str, real: str, above: Scope, entries: list[Entry]) -> Scope:
        """The rules in the folder ``path``, which really is ``real`` and holds ``entries``."""
        if not any(name == FOLDER and kind in ("folder", "link") for name, kind, _ in entries):
            return above
        if real not in self._read:
            place = f"{real}/{FOLDER}" if real else FOLDER
            config = self._file(f"{place}/{CONFIG}", read_config)
            self._read[real] = config, self._file(f"{place}/{IGNORE}", read_ignore)
        return above.below(path, *self._read[real])

    def _file(self, path: str, read: Callable[[str, Report], _Read | None]) -> _Read | None:
        """What ``read`` makes of the file ``path``; ``None`` when there is none, or after a finding."""
        findings = Findings(self._shown(path))
        try:
            data = self._tree.read(path, _LONGEST + 1)[0]
            text = data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            what = f"this file cannot be read ({error.strerror or error})"
            findings.report(1, 1, what, "its rules would be passed over: make it a plain file that you may read")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            findings.report(line, 1, "not UTF-8", "save the file as UTF-8")
        else:
            if "\0" in text or len(data) > _LONGEST:
                findings.report(1, 1, "this is no file of rules", "write text, at most 1 MB of it, or remove the file")
            else:
                found = read(text, findings.report)
                self._findings += findings.sorted()
                return found
        self._findings += findings.sorted()
        return None
