"""Training again whenever a document, or a file of its sources, was saved.

Begin with :mod:`.loop`. :mod:`.state` says what a training would be made of and where that lies on the disk,
:mod:`.saves` waits for the disk. What people see of it is the command's business.
"""

from __future__ import annotations
