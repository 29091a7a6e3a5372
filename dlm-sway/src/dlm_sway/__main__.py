"""``python -m dlm_sway`` is ``sway``."""

from __future__ import annotations

from .cli.main import main

main(prog_name="sway")
