"""The trained model that waits: published where the judgement allows it or is overridden, once."""

import pytest

from umaddpm_core.artefact import Artefact
from umaddpm_core.errors import InputError, NotFound
from umaddpm_core.serving.models.versions import Versions


@pytest.fixture
def versions(tmp_path):
    return Versions(tmp_path / "models", "uma_ddpm")


def test_one_that_may_be_worse_needs_an_override_which_is_recorded(waiting, versions, tmp_path):
    candidate = waiting(tmp_path / "candidate.safetensors", passed=False)
    with pytest.raises(InputError, match="may be worse: T1: dice"):
        candidate.publish(versions, by="Grace")
    assert candidate.describe()["by"] == "Ada" and versions.in_use() is None
    assert candidate.publish(versions, by="Grace", override=True) == "uma_ddpm-v1"
    entry = versions.history()[-1]
    assert entry["override"] is True and entry["by"] == "Grace" and entry["judgement"] == {"passed": False}
    assert Artefact.load(versions.in_use()).calibration


def test_one_that_is_not_worse_is_published_once(waiting, versions, tmp_path):
    candidate = waiting(tmp_path / "candidate.safetensors", passed=True)
    with pytest.raises(NotFound):
        candidate.publish(Versions(tmp_path / "models", "children"), by="")
    candidate.publish(versions, by="", override=True)
    assert versions.history()[-1]["override"] is False, "nothing had to be overridden"
    assert candidate.describe() is None
    with pytest.raises(NotFound, match="No trained model waits"):
        candidate.publish(versions, by="")


def test_the_next_takes_the_place_of_the_one_before(waiting, tmp_path):
    path = tmp_path / "candidate.safetensors"
    waiting(path, passed=False)
    assert waiting(path, passed=True).describe()["judgement"]["passed"]
    assert [file.name for file in tmp_path.glob("*.safetensors")] == ["candidate.safetensors"]
