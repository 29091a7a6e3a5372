"""The files that PEFT and transformers read: an adapter, its configuration, the tokenizer that it was trained with.

The sink and the transport write the same ones. What is said about them is in :mod:`.card`.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final

from dlm.errors import ExportFailed
from dlm.export.conversation import own_template, with_system_prompt
from dlm.store.encoding import canonical
from dlm.store.files import disk_errors
from dlm.store.version import ADAPTER_FILE
from dlm.training.mixing import Mix
from dlm_serving.plain import config_of, copy_or_write, write_config

if TYPE_CHECKING:
    from pathlib import Path

    from dlm.export.origin import Published

CARD: Final = "README.md"
TEMPLATE: Final = "chat_template.jinja"
TOKENIZER: Final = ("tokenizer.json", "special_tokens_map.json", "vocab.json", "merges.txt", "tokenizer.model")
SETTINGS: Final = "tokenizer_config.json"
_LEFT_OUT = (
    *("name_or_path", "_name_or_path", "tokenizer_file", "vocab_file", "is_local", "local_files_only"),
    "chat_template",
)
"""Of the tokenizer's settings, what is about the machine that saved it, or stands in a file of its own."""
_NEW_NAMES = {"TokenizersBackend": "PreTrainedTokenizerFast"}
"""Classes that transformers 5 writes, by the name that all versions read."""


def write_adapter(adapter: Path | Mix, folder: Path, base: Published) -> None:
    """As it was saved, for PEFT reads all that it wrote; a mix as one adapter."""
    if isinstance(adapter, Mix):
        inner = folder / ".adapter"
        copy_or_write(adapter, inner, base.repo, base.revision)
        with disk_errors(folder, ExportFailed):
            for path in sorted(inner.iterdir()):
                path.rename(folder / path.name)
            inner.rmdir()
        return
    write_config(config_of(adapter), folder, base.repo, base.revision)
    with disk_errors(folder / ADAPTER_FILE, ExportFailed):
        shutil.copyfile(adapter / ADAPTER_FILE, folder / ADAPTER_FILE)


def has_tokenizer(folder: Path) -> bool:
    """Whether a tokenizer lies in ``folder``."""
    return (folder / TOKENIZER[0]).is_file()


def write_tokenizer(source: Path, folder: Path) -> None:
    """The tokenizer in ``source``, without what is about the machine that saved it and without its template."""
    with disk_errors(folder, ExportFailed):
        for name in TOKENIZER:
            if (source / name).is_file():
                shutil.copyfile(source / name, folder / name)
    if (source / SETTINGS).is_file():
        settings: dict[str, Any] = json.loads((source / SETTINGS).read_bytes())
        kept = {key: value for key, value in settings.items() if key not in _LEFT_OUT}
        if "tokenizer_class" in kept:
            kept["tokenizer_class"] = _NEW_NAMES.get(kept["tokenizer_class"], kept["tokenizer_class"])
        write(folder / SETTINGS, canonical(kept))


def write_template(sources: tuple[Path, ...], folder: Path, system_prompt: str | None) -> bool:
    """The template of the first of ``sources`` that has one, with the document's system prompt in it; whether there is
    any."""
    template = next((found for source in sources if (found := own_template(source)) is not None), None)
    if template is not None:
        write(folder / TEMPLATE, with_system_prompt(template, system_prompt))
    return template is not None


def write(path: Path, text: str) -> None:
    """Write ``text`` as it is, whatever this system takes for a line's end."""
    with disk_errors(path, ExportFailed):
        path.write_text(text, encoding="utf-8", newline="")
