"""The part of Go's ``text/template`` that conversation templates are written in.

Go rules throughout: trim markers, truth, scopes of variables, ``eq`` of several, errors for what Go refuses. What is not
here (``define``, ``block``, ``template``, most of ``printf``) is refused by name, never passed over.
"""

from __future__ import annotations

from .nodes import TemplateFault
from .parsing import parse
from .running import Struct, execute

__all__ = ["Struct", "TemplateFault", "execute", "parse"]
