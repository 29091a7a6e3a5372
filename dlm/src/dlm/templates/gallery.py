"""The templates that come with dlm. Their texts were written for it and are under its licence."""

from __future__ import annotations

from .model import Template

CODING_TUTOR = Template("dlm.templates", "documents/coding-tutor")
DOMAIN_KB = Template("dlm.templates", "documents/domain-kb")
MEETING_NOTES = Template("dlm.templates", "documents/meeting-notes")
PERSONAL_ASSISTANT = Template("dlm.templates", "documents/personal-assistant")
REGEX_BUDDY = Template("dlm.templates", "documents/regex-buddy")
SHELL_ONE_LINER = Template("dlm.templates", "documents/shell-one-liner")
STUDY_GUIDE = Template("dlm.templates", "documents/study-guide")
WRITING_PARTNER = Template("dlm.templates", "documents/writing-partner")

TO_REPLACE = (DOMAIN_KB, MEETING_NOTES, PERSONAL_ASSISTANT)
"""Those about invented people and things: nobody wants a model of them."""
