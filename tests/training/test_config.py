"""Experiments and presets."""

import pytest

from umaddpm_core.errors import InputError
from umaddpm_core.methods import METHODS, build_config
from umaddpm_core.training.config import EXPERIMENTS, PRESETS, find_config


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.glob("*.yaml")))
@pytest.mark.parametrize("experiment", sorted(path.stem for path in EXPERIMENTS.glob("*.yaml")))
def test_every_experiment_is_there_in_every_preset(experiment, preset):
    config = find_config(experiment, preset)
    assert (config.name, config.preset) == (experiment, preset)
    assert build_config(config.method, config.method_config).network.base == {"compact": 48, "paper": 128, "small": 32}[preset]


def test_a_method_that_learns_nothing_is_not_trained():
    with pytest.raises(InputError, match="learns nothing by training"):
        find_config("intensity")


def test_a_method_is_an_experiment_in_every_preset():
    for name in ("mddpm", "anoddpm", "dae", "svae", "vae", "fanogan"):
        for preset in ("compact", "paper", "small"):
            config = find_config(name, preset)
            assert config.method == name and config.batch % METHODS[name].window == 0


def test_the_paper_preset_is_the_paper():
    assert build_config("uma_ddpm", find_config("T1", "paper").method_config) == build_config("uma_ddpm", {})


def test_the_ablation_rows_differ_in_one_element_each():
    for preset in ("compact", "paper"):
        mask, mam, full = (
            build_config("uma_ddpm", find_config(f"ablation_{row}", preset).method_config).model_dump()
            for row in ("mask", "mask_mam", "full")
        )
        assert (mask["network"].pop("mam"), mam["network"].pop("mam")) == (False, True) and mask == mam
        mam["network"]["mam"] = True
        assert (mam.pop("dual_domain"), full.pop("dual_domain")) == (False, True) and mam == full


def test_an_experiment_of_ones_own_comes_before_the_preset(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("modalities: [T2]\nmethod_config: {network: {base: 64}, alpha: 0.1}\n")
    config = find_config(str(own), seed=3)
    assert (config.preset, config.seed, config.modalities, config.batch) == ("compact", 3, ["T2"], 8)
    assert config.method_config["network"] == {**find_config("T1").method_config["network"], "base": 64}
    assert config.method_config["painted"] == find_config("T1").method_config["painted"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("stepz: 5", "wrong.yaml is wrong at stepz"),
        ("method_config: {nonesuch: 1}", "wrong at nonesuch"),
        ("method_config: {t_test: 1000}", "wrong at t_test"),
        ("method: nonesuch", "There is no method"),
        ("preset: nonesuch", "There is no preset nonesuch; shipped are compact, paper, small"),
        ("- a list", "is not a YAML file of keys and values"),
        ("a: [", "is not a YAML file of keys and values"),
    ],
)
def test_a_wrong_experiment_gets_one_sentence(tmp_path, text, sentence):
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(InputError, match=sentence):
        find_config(str(tmp_path / "wrong.yaml"))


def test_an_unknown_experiment_gets_the_list():
    with pytest.raises(InputError, match="shipped are T1, T2, ablation_full"):
        find_config("nonesuch")
