"""What the tests of this folder share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a short path: unix sockets live in it."""
    folder = Path(tempfile.mkdtemp(prefix="ponte-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
