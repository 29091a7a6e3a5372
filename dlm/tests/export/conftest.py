"""A trained toy document, and the toy target beside the toy backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlm.testing import only_plugins
from dlm.testing.toy import ToyPlugin
from dlm.testing.toy_sink import ToySinkPlugin
from dlm.training.run import TrainOptions, train


@pytest.fixture
def plugins():
    """dlm with the toy backend and the toy target."""
    with only_plugins(ToyPlugin(), ToySinkPlugin()) as manager:
        yield manager


@pytest.fixture
def trained(plugins, home, write) -> Path:
    """A document with one version, which learned enough for a certificate to tell what is kept of it."""
    path = write("training: {learning_rate: 0.01}")
    train(path, options=TrainOptions(max_steps=80))
    return path
