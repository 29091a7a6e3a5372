"""Whether an answer is backed by the document: search for the passage, then a judgement by its words. No model here.

Begin with :mod:`.support`. :mod:`.passages` cuts the document up, :mod:`.index` searches, :mod:`.reading` knows the
words of one text, :mod:`.evidence` puts a passage with its headings, :mod:`.agreement` compares.
"""

from __future__ import annotations

from .passages import Passage as Passage
from .support import Grounded as Grounded
from .support import Grounds as Grounds
