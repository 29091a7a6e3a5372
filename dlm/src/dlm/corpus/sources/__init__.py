"""Folders of text, as ``training.sources`` names them, into sections. Nothing here trains or tokenises."""

from __future__ import annotations

from .model import Gathered as Gathered
from .model import SourceSummary as SourceSummary
