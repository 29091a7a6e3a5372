"""Documents to start from: the gallery that comes with dlm, and what plugins add through ``dlm_templates``.

Names: :mod:`.model` (a template and what is told about it), :mod:`.gallery` (the eight of dlm), :mod:`.start` (finding
one, and making a new document of it).
"""

from .model import Meta as Meta
from .model import Template as Template
