"""Which part may import which."""

from importlinter.cli import lint_imports


def test_imports_run_downward(monkeypatch):
    assert lint_imports(no_cache=True) == 0
