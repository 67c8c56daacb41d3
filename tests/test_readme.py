"""What the README shows works as it is shown."""

import re
import shutil
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_python_example_runs(sample, tmp_path, monkeypatch, capsys):
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample-data").mkdir()
    shutil.copy(sample, tmp_path / "sample-data" / sample.name)
    exec(compile(program, "README.md", "exec"), {})
    assert "volume_ml" in capsys.readouterr().out
    assert (tmp_path / "finding.png").read_bytes().startswith(b"\x89PNG")
