"""A server of the test's own, which may be killed."""

import pytest
from soak.place import Place


@pytest.fixture
def place(tmp_path, tiny_model, small_scan) -> Place:
    return Place(tmp_path / "home", tiny_model, small_scan)
