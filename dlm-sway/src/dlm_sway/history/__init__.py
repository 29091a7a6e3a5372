"""Results and models beside each other: what changed, and whether that is more than chance.

Begin with :mod:`.change`, the one rule for differences. :mod:`.compare` reads saved results, :mod:`.adapters` asks
several adapters on one base, :mod:`.golden` holds a result against a stored one, :mod:`.traced` sums up a trace. The
``*_text`` modules write what they found. Judging one adapter on its own is the business of ``suite``.
"""

from __future__ import annotations
