"""dlm: a document becomes a local language model."""

from __future__ import annotations
