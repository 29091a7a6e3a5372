"""The part of Go's ``text/template`` that conversation templates are written in.

Go's rules throughout: trim markers, truth, scopes of variables, ``eq`` of several, errors for what Go refuses. What is
not here (``define``, ``block``, ``template``, ``printf``) is refused by name, never passed over.
"""

from __future__ import annotations

from .nodes import TemplateFault, Unsupported
from .parsing import parse
from .running import Struct, execute

__all__ = ["Struct", "TemplateFault", "Unsupported", "execute", "parse"]
