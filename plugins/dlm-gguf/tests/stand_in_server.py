"""llama.cpp's own server, as a Python wheel brings it, started with the options of the program ``llama-server``.

It knows the options that a launch script gives and no others, so a script that gives another one fails here.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import xllamacpp


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for option in ("--model", "--alias", "--host"):
        parser.add_argument(option, required=True)
    for option in ("--port", "--ctx-size"):
        parser.add_argument(option, type=int, required=True)
    for option in ("--lora", "--chat-template-file"):
        parser.add_argument(option)
    parser.add_argument("--jinja", action="store_true")
    given = parser.parse_args()
    wanted = xllamacpp.CommonParams()
    wanted.model.path, wanted.model_alias, wanted.n_ctx = given.model, {given.alias}, given.ctx_size
    wanted.hostnames, wanted.port, wanted.use_jinja = [given.host], given.port, given.jinja
    wanted.warmup, wanted.cpuparams.n_threads = False, 1
    if given.chat_template_file is not None:
        wanted.chat_template = Path(given.chat_template_file).read_text(encoding="utf-8")
    if given.lora is not None:
        adapter = xllamacpp.CommonAdapterLoraInfo()
        adapter.path, adapter.scale = given.lora, 1.0
        wanted.lora_adapters = [adapter]
    serving = xllamacpp.Server(wanted)
    while serving:  # it listens as long as the object lives
        time.sleep(60)


if __name__ == "__main__":
    main()
