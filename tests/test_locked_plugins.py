"""The lock names the distributions that take part in a training, and no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dlm.document import read
from dlm.locking.taking import deciding_versions
from dlm.plugins import manager

RUNBOOK = Path(__file__).parents[1] / "examples" / "runbook.dlm"


@pytest.mark.parametrize(("augmenters", "named"), [({}, False), ({"teacher": {}}, True)])
def test_an_augmenter_s_distribution_is_locked_where_the_document_names_it(augmenters, named):
    document = read(RUNBOOK)
    recipe = document.frontmatter.training.recipe.model_copy(update={"augmenters": augmenters})
    training = document.frontmatter.training.model_copy(update={"recipe": recipe})
    document = replace(document, frontmatter=document.frontmatter.model_copy(update={"training": training}))
    found = deciding_versions(document, manager())
    assert {"dlm", "dlm-hf", "torch"} <= found.keys()
    assert ("dlm-teacher" in found) == named
    assert list(found) == sorted(found)
