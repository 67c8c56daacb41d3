"""A comparison of all methods on a plan of one scan under several names: it works, its numbers mean nothing."""

import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
import torch
import yaml

from umaddpm_core.data.cache import ArrayCache, CachedScan, write_index, write_settings, write_volume
from umaddpm_core.errors import InputError
from umaddpm_core.evaluation.comparison.binding import statements
from umaddpm_core.evaluation.comparison.plan import read_plan
from umaddpm_core.evaluation.comparison.runs import Comparison
from umaddpm_core.evaluation.comparison.tables import _told
from umaddpm_core.evaluation.comparison.writing import write_comparison
from umaddpm_core.methods import METHODS

NETWORK = {"base": 16, "multipliers": [1, 2], "blocks": 1, "stem": 4}
SIZES = {"dae": {"base": 8}, "vae": {"base": 8}, "svae": {"base": 8}, "fanogan": {"base": 8}, "anoddpm": {"network": NETWORK, "stride": 50}}


@pytest.fixture(scope="module")
def healthy(tiny_cache, tmp_path_factory):
    """Sixteen slices of the sample under six names."""
    folder = tmp_path_factory.mktemp("healthy")
    for scan in tiny_cache.scans():
        write_volume(folder, scan.name, tiny_cache.volume(scan)[..., 24:40])
    write_settings(folder, "one sample scan", tiny_cache.settings, {})
    write_index(folder, tiny_cache.scans())
    return ArrayCache(folder)


@pytest.fixture(scope="module")
def patients(tiny_cache, tmp_path_factory):
    """Two patients, one to choose thresholds on and one to test: a dark cube in the sample."""
    folder = tmp_path_factory.mktemp("patients")
    volume = tiny_cache.volume(tiny_cache.scans()[0])[..., 24:40].clone()
    truth = torch.zeros_like(volume, dtype=torch.bool)
    truth[:, 40:52, 40:52, 5:15] = True
    scans = [CachedScan(f"{who}-T1", who, "T1", part, healthy=False, has_lesions=True) for who, part in (("A", "development"), ("B", "test"))]
    for scan in scans:
        write_volume(folder, scan.name, torch.where(truth, volume * 0.4, volume), truth)
    write_settings(folder, "patients", tiny_cache.settings, {})
    write_index(folder, scans)
    return folder


def plan_of(folder, patients, names, **changes):
    content = {
        "modalities": ["T1"],
        "methods": [
            {"name": name.upper(), "experiment": name}
            | ({} if name == "intensity" else {"settings": {"method_config": SIZES.get(name, {"network": NETWORK}), "batch": 16}})
            for name in names
        ],
        "long": {"slices": 32, "seeds": [0]},
        "sets": [{"name": "cubes", "source": str(patients), "modality": "T1"}],
        "reference": names[0].upper(),
        "calibration_people": 1,
        "healthy_people": 1,
        "pictures": ["B-T1"],
        **changes,
    }
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_every_method_is_trained_judged_and_told(healthy, patients, tmp_path):
    plan = read_plan(plan_of(tmp_path, patients, sorted(METHODS, reverse=True)))
    comparison = Comparison(plan, healthy, tmp_path / "out", tell=lambda _: None)
    results = comparison.complete()
    assert len(results) == len(METHODS)
    for _, result in results:
        of_no_set, of_the_set = (result["thresholds"][name]["absolute"] for name in ("", "cubes"))
        assert set(of_the_set) - set(of_no_set) == {"lesion_dice"}, "found on a set's own development cases, and used for it alone"
    written = {path.name: path for path in write_comparison(comparison, results)}
    table = written["cubes_T1_published.md"].read_text()
    assert all(f"| {name.upper()} |" in table for name in METHODS) and "Research use only" in table
    assert "| population mean |" in written["healthy_T1.md"].read_text() and "no better than" in written["healthy_T1.md"].read_text()
    kinds = written["kinds_T1.csv"].read_text().splitlines()
    assert kinds[0] == "method,solid,ring,oedema,infarct,\"atrophy, points\"" and len(kinds) == len(METHODS) + 1
    assert "p (Holm)" in table and r"\toprule" in written["cubes_T1_signed.tex"].read_text()
    assert written["figure_T1.png"].stat().st_size > 10_000
    runs = json.loads(written["comparison.json"].read_text())["runs"]
    assert all(run["cost"]["seconds"] > 0 and run["healthy"]["summary"]["psnr"]["people"] == 1 for run in runs)
    assert {run["method"] for run in runs} == {name.upper() for name in METHODS}


def test_short_runs_show_the_spread_over_seeds(healthy, patients, tmp_path):
    plan = read_plan(plan_of(tmp_path, patients, ["vae"], short={"slices": 16, "seeds": [0, 1]}))
    comparison = Comparison(plan, healthy, tmp_path / "out", tell=lambda _: None)
    written = {path.name: path for path in write_comparison(comparison, comparison.complete())}
    assert "| 2 |" in written["cubes_T1_signed_seeds.md"].read_text()


@pytest.fixture
def published_folders(small_scan, tmp_path):
    """Two people in the folders and names of BraTS21 and of MSLUB: the sample scan, a cube marked in it."""
    scan = sitk.ReadImage(str(small_scan))
    cube = np.zeros(scan.GetSize()[::-1], np.uint8)
    cube[tuple(slice(side // 2 - 4, side // 2 + 4) for side in cube.shape)] = 1
    lesions = sitk.GetImageFromArray(cube)
    lesions.CopyInformation(scan)
    layouts = {
        "BraTS2021": ("BraTS2021_0000{0}/BraTS2021_0000{0}_t1.nii.gz", "BraTS2021_0000{0}/BraTS2021_0000{0}_seg.nii.gz"),
        "MSLUB": ("patient0{0}/patient0{0}_T1W.nii.gz", "patient0{0}/patient0{0}_consensus_gt.nii.gz"),
    }
    for folder, names in layouts.items():
        for person in (1, 2):
            for name, image in zip(names, (scan, lesions)):
                path = tmp_path / folder / name.format(person)
                path.parent.mkdir(parents=True, exist_ok=True)
                sitk.WriteImage(image, str(path))
    return tmp_path


def test_published_sets_are_judged_where_they_are_and_named_where_not(healthy, patients, published_folders, tmp_path):
    there = [
        {"name": name, "source": str(published_folders / folder), "modality": "T1", "layout": layout, "part": "all"}
        for name, folder, layout in (("BraTS21", "BraTS2021", "brats"), ("MSLUB", "MSLUB", "mslub"))
    ]
    away = {"name": "ATLAS", "source": str(tmp_path / "nowhere"), "modality": "T1", "optional": True}
    plan = read_plan(plan_of(tmp_path, patients, ["intensity"], sets=[*there, away]))
    comparison = Comparison(plan, healthy, tmp_path / "out", tell=lambda _: None)
    written = {path.name: path for path in write_comparison(comparison, comparison.complete())}
    for name in ("brats21", "mslub"):
        assert "2 people" in written[f"{name}_T1_published.md"].read_text()
    assert "| INTENSITY | not run here |" in written["atlas_T1.md"].read_text()
    with pytest.raises(InputError, match="nowhere"):
        Comparison(read_plan(plan_of(tmp_path, patients, ["intensity"], sets=[{**away, "optional": False}])), healthy, tmp_path / "out")


def test_a_slow_method_is_judged_on_fewer_cases_and_the_table_says_so(healthy, patients, tmp_path):
    methods = [{"name": "all", "experiment": "intensity"}, {"name": "few", "experiment": "intensity", "people": 1, "cases": 1}]
    sets = [{"name": "cubes", "source": str(patients), "modality": "T1", "part": "all"}]
    plan = read_plan(plan_of(tmp_path, patients, ["intensity"], methods=methods, sets=sets, reference="all"))
    comparison = Comparison(plan, healthy, tmp_path / "out", tell=lambda _: None)
    written = {path.name: path for path in write_comparison(comparison, comparison.complete())}
    assert "2 people, few on 1;" in written["cubes_T1_signed.md"].read_text()


def test_what_is_done_is_not_done_again_and_what_changed_is(healthy, patients, tmp_path):
    told = []

    def complete(**changes):
        told.clear()
        plan = read_plan(plan_of(tmp_path, patients, ["vae", "intensity"], **changes))
        return Comparison(plan, healthy, tmp_path / "out", tell=told.append).complete()

    first = complete()
    assert [line.split()[0] for line in told] == ["training", "judging", "fitting", "judging"]
    assert [result for _, result in complete()] == [result for _, result in first] and not told
    complete(sets=[{"name": "cubes", "source": str(patients), "modality": "T1", "part": "development"}])
    assert [line.split()[0] for line in told] == ["judging", "fitting", "judging"]
    with pytest.raises(InputError, match="other settings"):
        methods = [{"name": "VAE", "experiment": "vae", "settings": {"method_config": {"base": 16}, "batch": 16}}]
        complete(methods=methods, reference="VAE")


def test_it_goes_on_elsewhere_with_the_kept_results_and_without_models(healthy, patients, tmp_path):
    told, plan = [], read_plan(plan_of(tmp_path, patients, ["vae", "intensity"]))
    here = Comparison(plan, healthy, tmp_path / "here", kept=tmp_path / "kept", tell=told.append)
    written = {path.name: path for path in write_comparison(here, here.complete())}
    assert {path.name for path in (tmp_path / "kept").rglob("*.*")} == {"result.json"}, "figures on patients, no picture of them"
    elsewhere = shutil.copytree(healthy.folder, tmp_path / "elsewhere")
    told.clear()
    there = Comparison(plan, ArrayCache(elsewhere), tmp_path / "there", kept=tmp_path / "kept", tell=told.append)
    again = {path.name: path for path in write_comparison(there, there.complete())}
    assert set(written) - set(again) == {"figure_T1.png"}, "it needs the models"
    assert all(path.read_bytes() == written[name].read_bytes() for name, path in again.items())
    assert not told and not list((tmp_path / "there").rglob("*.safetensors"))


def test_the_table_says_which_way_a_difference_is_that_chance_does_not_explain():
    assert [_told(p, lower) for p, lower in ((0.2, True), (0.0012, True), (0.0012, False), (None, None))] == ["0.2000", "0.0012, lower", "0.0012, higher", ""]


def test_what_the_code_does_counts_and_not_how_it_is_told():
    told = 'def double(x):\n    """Twice x."""\n    return 2 * x  # twice\n'
    assert statements(told) == statements("def double(x):\n\n    return 2*x")
    assert statements(told) != statements(told.replace("2 *", "3 *"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": "nobody"}, "none of its methods"),
        ({"nonsense": 1}, "is wrong at nonsense"),
        ({"methods": [{"name": "VAE", "experiment": "vae"}] * 2}, "two methods called"),
        ({"methods": [{"name": "VAE", "experiment": "nonesuch"}]}, "no experiment nonesuch"),
    ],
)
def test_a_wrong_plan_is_one_sentence(patients, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        read_plan(plan_of(tmp_path, patients, ["vae"], **change))


def test_a_set_without_cases_is_one_sentence(healthy, patients, tmp_path):
    plan = read_plan(plan_of(tmp_path, patients, ["vae"], sets=[{"name": "none", "source": str(patients), "modality": "T1", "part": "training"}]))
    with pytest.raises(InputError, match="holds no T1 scans"):
        Comparison(plan, ArrayCache(healthy.folder), tmp_path / "out")
