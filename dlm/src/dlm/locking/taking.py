"""Writing down what a training of a document would be made of. Loads no library and no weights."""

from __future__ import annotations

import hashlib
import platform
import re
from dataclasses import asdict, fields
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ..store.encoding import canonical, jsonable
from ..training.ranks import processes
from .models import DeterminismClass, Lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._plugkit.plugins import PluginManager
    from ..bases import LocalBase
    from ..document import Document, Section
    from ..hardware.capabilities import Capabilities, Device
    from ..training.material import Material
    from ..training.recipe import Recipe
    from ..training.resolve import TrainOptions

LORA = ("adapter", "rank", "alpha", "dropout", "target_modules")
"""Numbers of the recipe that make the adapter what it is."""
OWN = ("learning_rate",)
"""Other numbers that each of several adapters has for itself."""
UNDECIDED = ("seed", "token_budget", "max_steps", "device")
"""Numbers of the recipe that stand elsewhere in the lock, or are not known before the rows are."""
CLASSES: dict[str, DeterminismClass] = {"strict": "strong", "best_effort": "best-effort", "loose": "advisory"}
"""What the doctor says, in the words of the prior trainer's locks."""
SILENT = frozenset(
    {
        "seed",  # in the lock by itself
        "warm",  # warm_from says it
        "accept_licence",
        "cache",
        "track",
        "strict_metrics",
        "resume",
        "lock",
    }
)
"""Options that never change a result, or that stand elsewhere in the lock. Any other one counts."""


def take(
    document: Document,
    base: LocalBase | None,
    recipe: Recipe,
    options: TrainOptions,
    material: Material,
    plugins: PluginManager,
    *,
    warm_from: int | None = None,
    licence: Mapping[str, Any] | None = None,
) -> Lock:
    """The lock of a training that would begin now; what only shows later is left open: see :meth:`Lock.stamped`.

    Without ``base``, which is then not on this disk, its weights are left open too.
    """
    system = document.frontmatter.system_prompt
    numbers = jsonable(asdict(recipe))
    named = _adapters(document, options, material)
    elsewhere = (*UNDECIDED, *LORA, *(OWN if named else ()))
    return Lock(
        dlm_id=document.frontmatter.dlm_id,
        dlm_sha256=hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest(),
        document_digest=document.digest,
        title=document.title,
        system_prompt_sha256=digest(system or ""),
        sources={summary.path: summary.digest for summary in material.gathered.summaries},
        sources_sha256=_digest_of(material.change.sources),
        replay_sha256=_digest_of(material.replayed),
        base_model=base.key if base else document.frontmatter.base_model,
        base_model_revision=base.revision if base else None,
        base_model_sha256=base.digest if base else None,
        seed=recipe.seed,
        lora={} if named else {name: numbers[name] for name in LORA},
        adapters=named,
        recipe={name: value for name, value in numbers.items() if name not in elsewhere},
        asked=asked_for(options),
        warm_from=warm_from,
        pinned_versions=deciding_versions(document, plugins),
        world_size=processes(),
        python_version=".".join(platform.python_version_tuple()[:2]),
        license_acceptance=dict(licence) if licence else None,
    )


def _adapters(document: Document, options: TrainOptions, material: Material) -> dict[str, dict[str, Any]]:
    """What each adapter with a name that is trained would be made of."""
    from ..document.routing import declared, sections_of, view
    from ..training.resolve import recipe_for

    names, found = declared(document), {}
    for name in (name for name in names if options.adapter in (None, name)):
        numbers = jsonable(asdict(recipe_for(view(document, name).frontmatter, options)))
        sections = sections_of((*document.sections, *material.more), names, name)
        own = {key: numbers[key] for key in (*LORA, *OWN)}
        found[name] = {**own, "sections_sha256": _digest_of(sections)}
    return found


def seen_on(lock: Lock, here: Capabilities, recipe: Recipe) -> Lock:
    """``lock`` with the machine: what the backend tells of it once its libraries are loaded."""
    flags = {"threads": here.threads} if here.device.tier == "cpu" else {}
    return lock.model_copy(
        update={
            "precision": here.precision if recipe.precision == "auto" else recipe.precision,
            "hardware_tier": tier_of(here.device),
            "determinism_class": CLASSES[here.determinism.level],
            "determinism_flags": flags,
            **_accelerator_of(here.libraries.get("torch", "")),
        }
    )


def tier_of(device: Device) -> str:
    """The kind of hardware, in the words of the prior trainer's locks."""
    if device.tier != "cuda":
        return device.tier
    found = re.fullmatch(r"sm_(\d+)", device.architecture)
    return "cuda-sm80+" if found and int(found[1]) >= 80 else "cuda-sm<80"


def _accelerator_of(torch: str) -> dict[str, str | None]:
    """What a build of PyTorch was made for, by its version: ``2.9.1+cu128``."""
    cuda, rocm = re.search(r"\+cu(\d+)(\d)$", torch), re.search(r"\+rocm([\d.]+)$", torch)
    return {"cuda_version": f"{cuda[1]}.{cuda[2]}" if cuda else None, "rocm_version": rocm[1] if rocm else None}


def asked_for(options: TrainOptions) -> dict[str, Any]:
    """The options that change what is trained, where somebody gave them."""
    given = {
        field.name: getattr(options, field.name)
        for field in fields(options)
        if field.name not in SILENT and getattr(options, field.name) != field.default
    }
    return dict(jsonable(given))


def deciding_versions(document: Document, plugins: PluginManager) -> dict[str, str]:
    """Versions of the distributions that take part in training ``document``: libraries, backends, the plugins whose
    section types and augmenters it uses, and what its base's weights are rounded with."""
    from ..training.summary import installed_versions

    wanted = {
        "dlm_sections": {section.type for section in document.sections},
        "dlm_augmenters": set(document.frontmatter.training.recipe.augmenters),
        "dlm_backends": set(plugins.offers("dlm_backends")),
    }
    found = {}
    for hook, names in wanted.items():
        for name in names & set(plugins.offers(hook)):
            for offer in plugins.offers(hook)[name]:
                distribution, _, number = offer.source.partition(" ")
                if number:
                    found[distribution] = number
    return dict(sorted((found | _rounding(document, plugins) | installed_versions()).items()))


def _rounding(document: Document, plugins: PluginManager) -> dict[str, str]:
    """Versions of the libraries of the quantisers that ``document`` uses."""
    from ..bases.quantised import quantisers_of

    offers = plugins.offers("dlm_quantisers")
    entries = [offer.entry for name in quantisers_of(document) for offer in offers.get(name, ())]
    return {library: version(library) for entry in entries for library in getattr(entry, "libraries", ())}


def digest(text: str) -> str:
    """``sha256:...`` over ``text``."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _digest_of(sections: Iterable[Section]) -> str:
    """Over all that training sees of ``sections``; an id stands for type, adapter, attributes and text."""
    return digest(canonical([[one.id, one.origin, dict(one.tags), one.weight] for one in sections]))
