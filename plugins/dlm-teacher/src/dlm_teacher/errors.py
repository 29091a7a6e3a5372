"""What can go wrong with a teacher and is not the document's mistake."""

from __future__ import annotations

from dlm.errors import DlmError


class TeacherFailed(DlmError):
    """The teacher's model cannot be loaded, reached or used; nothing that it wrote before is lost."""
