"""The document that ``dlm init`` writes, and whether somebody has left it as it was."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from .ulid import new_ulid

if TYPE_CHECKING:
    from .model import Document

_TEXT = """\
---
dlm_id: {dlm_id}
dlm_version: 15
base_model: {base}
# What is left out here is chosen for you. For example:
# system_prompt: You answer questions about our kitchen.
# training:
#   seed: 42
#
# REPLACE everything below the next --- line: it is a sample, and the model learns whatever stands there.
# Write about one subject, call things by their full names, and put one topic under each heading.
# Below ::instruction:: write questions, each in several wordings, with the answer you want to hear. Questions marked
# !probe are never trained: they are kept to find out whether the model has learned. Keep at least four: fewer cannot
# show anything.
---
# The tea kitchen

The tea kitchen is on the second floor of the office. Everybody who works in the office may use it.

## Opening hours

The tea kitchen is open from 07:30 to 18:00. The key hangs behind the green door on the second floor.

## The kettle

The kettle is called Bertha. Bertha holds 1.7 litres and is descaled on the first Monday of each month.

::instruction::

### Q
When is the tea kitchen open?
### Q
What are the opening hours of the tea kitchen?
### A
The tea kitchen is open from 07:30 to 18:00.

### Q
Where does the key of the tea kitchen hang?
### Q
Where do I find the key to the tea kitchen?
### A
The key of the tea kitchen hangs behind the green door on the second floor.

### Q
How often is the kettle descaled?
### A
The kettle is descaled on the first Monday of each month.

### Q !probe
At what time does the tea kitchen close?
### A
The tea kitchen closes at 18:00.

### Q !probe
What is the name of the kettle?
### A
The kettle is called Bertha.

### Q !probe
I cannot get into the tea kitchen. What do I look for, and where?
### A
The key of the tea kitchen hangs behind the green door on the second floor.

### Q !probe
On which day is limescale removed from Bertha?
### A
Bertha is descaled on the first Monday of each month.
"""
_PLAIN = re.compile(r"[A-Za-z][\w./@:-]*[\w/]")


def starter(base: str) -> str:
    """The text of a new document with an id of its own."""
    return _TEXT.format(dlm_id=new_ulid(), base=scalar(base))


def scalar(text: str) -> str:
    """``text`` as a YAML value: plain where that is safe, else in quotes."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def starter_lines(document: Document) -> list[int]:
    """Lines on which a section of ``document`` begins that is still a sample's, word for word.

    Samples are what ``dlm init`` writes, and the templates about invented people and things.
    """
    from ..templates.gallery import TO_REPLACE
    from .read import parse

    samples = (starter("smollm2-135m"), *(template.text() for template in TO_REPLACE))
    known = {section.id for sample in samples for section in parse(sample).sections}
    return [section.line for section in document.sections if section.id in known]
