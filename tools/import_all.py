"""Import every module of one core, and fail if that needs the other core, a plugin, or a model library.

Run with the core installed alone: ``python tools/import_all.py dlm``.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys

HEAVY = ("torch", "transformers", "peft")
PLUGINS = (
    "dlm_gguf",
    "dlm_hf",
    "dlm_https",
    "dlm_hub",
    "dlm_ollama",
    "dlm_peer",
    "dlm_preference",
    "dlm_qlora",
    "dlm_rocm",
    "dlm_serving",
    "dlm_sign",
    "dlm_sway_dlm",
    "dlm_sway_api",
    "dlm_sway_html",
    "dlm_sway_probes",
    "dlm_sway_semantic",
    "dlm_sway_serve",
    "dlm_sway_style",
    "dlm_teacher",
)
FOREIGN = {"dlm": ("dlm_sway", *PLUGINS, *HEAVY), "dlm_sway": ("dlm", *PLUGINS, *HEAVY)}


def main() -> int:
    """Exit code 0 when all modules import alone, 1 with a line for each that does not."""
    package = sys.argv[1]
    if present := [name for name in FOREIGN[package] if importlib.util.find_spec(name) is not None]:
        print(f"{', '.join(present)} can be imported here: this would prove nothing. Install {package} alone.")
        return 1
    # The contract kits need pytest, which is an extra; a __main__ runs when it is imported.
    names = [package, *(found.name for found in pkgutil.walk_packages(_path(package), f"{package}."))]
    names = [name for name in names if f"{package}.testing" not in name and not name.endswith(".__main__")]
    failures = []
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            failures.append(f"{name}: {type(error).__name__}: {error}")
    if loaded := sorted(set(FOREIGN[package]) & set(sys.modules)):
        failures.append(f"importing {package} loaded {', '.join(loaded)}")
    print(*failures, f"{package}: {len(names)} modules, {len(failures)} failures", sep="\n")
    return int(bool(failures))


def _path(package: str) -> list[str]:
    return list(importlib.import_module(package).__path__)


if __name__ == "__main__":
    sys.exit(main())
