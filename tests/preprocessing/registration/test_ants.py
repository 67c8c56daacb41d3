"""The optional backend: absent, it says how to install it; present, it agrees with the default."""

from importlib.util import find_spec

import pytest

from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.known_moves import mean_displacement
from umaddpm_core.preprocessing.registration import register

ANTS = find_spec("ants") is not None


@pytest.mark.skipif(ANTS, reason="antspyx is installed")
def test_without_antspyx_the_command_that_installs_it_is_named(small_brain, template):
    with pytest.raises(InputError, match=r"pip install -e '.\[ants\]'"):
        register(*small_brain, *template, backend="ants")


@pytest.mark.skipif(not ANTS, reason="antspyx is not installed (`pip install -e '.[ants]'`)")
def test_ants_agrees_with_the_default(small_brain, template):
    found = register(*small_brain, *template, backend="ants")
    assert found.backend == "ants"
    assert mean_displacement(register(*small_brain, *template).transform, found.transform, template[1]) < 1
