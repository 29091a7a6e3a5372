"""Everything on disk: where it lies, who may write it, and how a version becomes current.

:class:`Store` is one document's folder, :func:`home` the root of them all. A version is visible only once it is whole:
readers follow one small pointer file, which is replaced in one step. No torch here: a caller passes a function that
writes the adapter into a folder.
"""

from .layout import home as home
from .runs import Run as Run
from .store import Store as Store
from .version import Version as Version
