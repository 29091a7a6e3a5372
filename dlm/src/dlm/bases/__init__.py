"""Which base model, where it comes from, under which licence, and where it lies on this disk.

Names: :mod:`.model` (what a base is), :mod:`.registry` (the built-in ones), :mod:`.fetch` (wheels, digests),
:mod:`.licence` (who has agreed to which terms), :mod:`.cache` (``$DLM_HOME/bases``). Turning a file into something a
backend can load is the backend's job.
"""

from .model import BaseModel as BaseModel
from .model import FolderSource as FolderSource
from .model import HubSource as HubSource
from .model import LocalBase as LocalBase
from .model import PartsSource as PartsSource
from .model import WheelSource as WheelSource
