"""Text to :class:`Document`: framing, frontmatter, section types, identity, and every mistake at its place.

Begin with :mod:`.read`. :mod:`.scan` cuts lines, :mod:`.fences` and :mod:`.code` know them apart; :mod:`.mapping`
and :mod:`.validate` read the frontmatter, :mod:`.types` holds the section types that dlm itself offers and
:mod:`.formats` those that it only reads, :mod:`.identity` names content. Writing begins with :mod:`.write`
(files), :mod:`.edit` (one section or key) and :mod:`.text` (sections as text). What is trained is made in ``corpus``.
"""

from __future__ import annotations

from .model import Block as Block
from .model import Document as Document
from .model import Pair as Pair
from .model import Probe as Probe
from .model import Section as Section
from .model import probes as probes
from .read import parse as parse
from .read import read as read
from .read import records as records
