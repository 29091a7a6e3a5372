"""What goes into the Modelfile of an export: the proved template, the tokens that stop it, the numbers."""

from __future__ import annotations

import json
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

from dlm.errors import ExportRefused
from dlm.export.conversation import own_template

from .modelfile import Modelfile
from .recognise import Difference, Recognised, Unspeakable, recognise

if TYPE_CHECKING:
    from dlm.export.sink import Request
    from dlm_hf.render import Renderer

_DEFAULT_TEMPERATURE, _DEFAULT_TOP_P = 0.7, 0.9
_DATED = "strftime_now"
ROOM = 4096
"""Tokens of a conversation where nobody says otherwise: Ollama's own default, and no less than was trained."""
_SHOWN = 48


def plan(request: Request, renderer: Renderer) -> Recognised:
    """The base's dialect, proved.

    Raises:
        ExportRefused: no dialect gives what the base's own template gives.
    """
    try:
        found = recognise(renderer)
    except Unspeakable as problem:
        raise ExportRefused(
            f"the template of the base {request.model.key} refuses a plain conversation ({problem}): name another base"
        ) from problem
    if isinstance(found, Recognised):
        return found
    near = f"nearest is {found.dialect.name}: {_apart(found.difference)}" if found.dialect else _apart(found.difference)
    raise ExportRefused(
        f"dlm knows no Ollama template that writes conversations as the base {request.model.key} reads them ({near}). "
        "Export with --no-template, and Ollama uses the template inside the file; or for a server that does: "
        "--target llama-server"
    )


def renderer_of(request: Request) -> Renderer:
    """The renderer of training, with the document's system prompt."""
    from dlm_hf.opened import open_renderer

    return open_renderer(request.base, request.system_prompt)


def modelfile(
    request: Request, model: str, adapter: str | None, room: int | None, quant: str | None
) -> tuple[Modelfile, str | None]:
    """The Modelfile, and the name of the dialect that its template is of."""
    renderer = renderer_of(request)
    found = plan(request, renderer) if request.wishes.template else None
    dialect = found.dialect if found else None
    export = request.document.frontmatter.export
    temperature = dialect.temperature if dialect else _DEFAULT_TEMPERATURE
    top_p = dialect.top_p if dialect else _DEFAULT_TOP_P
    return (
        Modelfile(
            model=model,
            adapter=adapter,
            template=found.template if found else None,
            stops=stops(renderer, dialect.stops if dialect else ()),
            temperature=temperature if export.default_temperature is None else export.default_temperature,
            top_p=top_p if export.default_top_p is None else export.default_top_p,
            num_ctx=_room(request, room),
            system=found.system if found else request.system_prompt,
            licence=_licence(request),
            comments=tuple(_comments(request, quant)),
        ),
        dialect.name if dialect else None,
    )


def dated(request: Request) -> bool:
    """Whether the base's template writes today's date into a prompt."""
    return _DATED in (own_template(request.base.path) or "")


def stops(renderer: Renderer, usual: tuple[str, ...]) -> tuple[str, ...]:
    """What ends an answer as trained, the base's own end, and of the dialect's what is one special token here.

    Words of plain text are no stops: an answer may hold them.
    """
    tokenizer = renderer.tokenizer
    special = {str(token.content): number for number, token in tokenizer.added_tokens_decoder.items()}
    ends = [str(tokenizer.convert_ids_to_tokens(number)) for number in renderer.end_ids]
    return tuple(dict.fromkeys(stop for stop in (*ends, *usual) if stop in special))


def _room(request: Request, wanted: int | None) -> int:
    most = _context(request)
    trained = request.document.frontmatter.training.sequence_len or request.model.sequence or 0
    room = wanted or max(ROOM, trained)
    return room if most is None else min(room, most)


def _context(request: Request) -> int | None:
    """Tokens that the base reads, as its configuration says."""
    found = json.loads((request.base.path / "config.json").read_text(encoding="utf-8"))
    most: Any = found.get("text_config", found).get("max_position_embeddings", request.model.context)
    return most if isinstance(most, int) else None


def _licence(request: Request) -> str | None:
    """The base's, by its identifier; with the address of its text where SPDX lists none."""
    spdx, url = request.model.licence, request.model.licence_url
    if spdx is None:
        return None
    return f"{spdx} {url}" if spdx.startswith("LicenseRef-") and url else spdx


def _comments(request: Request, quant: str | None) -> list[str]:
    from dlm.export.origin import told

    merged = request.wishes.form == "merged"
    revision = request.base.revision or request.base.digest
    source = request.document.path
    return [
        f"Generated by dlm {installed('dlm')}",
        *([f"Source: {source.name}"] if source is not None else []),
        f"dlm_id: {request.document.frontmatter.dlm_id}",
        f"adapter_version: {request.version.number}",
        f"base_model: {told(request.base)} (revision {revision})",
        f"quant: {quant}",
        f"merged: {merged}",
    ]


def _apart(difference: Difference) -> str:
    """Where two renderings part, for people."""
    wanted, got = difference.wanted, difference.got
    if not got:
        return f"it writes {wanted[:_SHOWN]!r}"
    at = next((i for i, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b), min(len(wanted), len(got)))
    start = max(0, at - 12)
    return f"{got[start : at + _SHOWN]!r} where the base has {wanted[start : at + _SHOWN]!r}"
