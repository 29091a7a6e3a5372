"""Copy plugkit/ into both cores, or with --check fail when a copy differs."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEADER = "# Copied from plugkit/ by tools/sync_plugkit.py: edit it there.\n"
PACKAGE_DOC = '"""Plugin plumbing, the same in both cores."""\n'


def main() -> int:
    check = "--check" in sys.argv
    wanted = {source.name: HEADER + source.read_text() for source in (ROOT / "plugkit").glob("*.py")}
    wanted["__init__.py"] = HEADER + PACKAGE_DOC
    stale = []
    for package in ("dlm/src/dlm/_plugkit", "dlm-sway/src/dlm_sway/_plugkit"):
        target = ROOT / package
        target.mkdir(exist_ok=True)
        extra = {path for path in target.glob("*.py") if path.name not in wanted}
        changed = {target / name for name, text in wanted.items() if not _same(target / name, text)}
        stale += sorted(extra | changed)
        if not check:
            for path in extra:
                path.unlink()
            for name, text in wanted.items():
                (target / name).write_text(text)
    for path in stale:
        print("stale:" if check else "updated:", path.relative_to(ROOT))
    return int(check and bool(stale))


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


if __name__ == "__main__":
    sys.exit(main())
