"""The teacher keeps the contract of every augmenter, its model behind a real endpoint."""

from __future__ import annotations

import json

import pytest

from dlm.testing import AugmenterContract
from dlm.testing.augmenter import RESERVED

FACTS = "\n".join(
    json.dumps({"questions": [asked], "answer": answer})
    for asked, answer in (
        ("How often is the wick of the lamp cut?", "The wick of the lamp is cut every 12 days."),
        ("When was the lamp first lit?", "The lamp was lit for the first time in May 1907."),
        (RESERVED[1], "Ada Hale is the maker of the lamp."),
    )
)
WORDINGS = "\n".join(["By whom was the lamp built?", "In which place does the lamp stand?", *RESERVED])


class TestTeacher(AugmenterContract):
    name = "teacher"
    plugin_module = "dlm_teacher.for_dlm"

    @pytest.fixture(autouse=True)
    def endpoint(self, service):
        service.answer = lambda body: FACTS if "study questions" in body["messages"][0]["content"] else WORDINGS
        self.options = {"model": service.url, "name": "scripted"}
