"""Synthetic T2: who gets one, and that it is called so."""

import pytest
import torch

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.cache import ArrayCache, CachedScan, write_index, write_settings, write_volume
from umaddpm_core.data.contrast import METHOD, load_translator, pairs, synthesise_t2
from umaddpm_core.errors import InputError
from umaddpm_core.networks.contrast import ContrastTranslator, with_context
from umaddpm_core.training.config import TrainingConfig
from umaddpm_core.training.contrast import train_contrast
from umaddpm_core.training.provenance import provenance


@pytest.fixture
def cache(tiny_cache, tmp_path):
    """Two training people and one to validate have T1 and a T2 that is the negative; one training person and one to test, a T1."""
    volume = tiny_cache.volume(tiny_cache.scans()[0])
    negative = torch.where(volume > 0, 1 - 0.9 * volume, 0.0)
    people = [("A", "training"), ("B", "training"), ("V", "validation"), ("C", "training"), ("T", "test")]
    scans = [CachedScan(f"{who}-T1", who, "T1", part) for who, part in people]
    scans += [CachedScan(f"{who}-T2", who, "T2", part, paired=True) for who, part in people[:3]]
    for scan in scans:
        write_volume(tmp_path, scan.name, volume if scan.modality == "T1" else negative, paired=negative if scan.paired else None)
    write_settings(tmp_path, "pairs", tiny_cache.settings, {})
    write_index(tmp_path, scans)
    return ArrayCache(tmp_path)


def test_the_translator_learns_the_pairs_of_the_training_part(cache):
    assert [who for who, _, _ in pairs(cache, "training")] == ["A", "B"]
    told = []
    network = train_contrast(cache, steps=25, batch=4, progress=lambda step, loss: told.append((step, loss)))
    assert [step for step, _ in told] == list(range(1, 26)) and told[-1][1] < 0.8 * told[0][1]
    _, t1, t2 = pairs(cache, "validation")[0]
    made = network.translate(t1)
    brain = t1 > 0
    assert made.shape == t1.shape and not made[~brain].any() and made[brain].min() > 0
    assert torch.corrcoef(torch.stack([made[brain], t2[brain]]))[0, 1] > 0.3, "the negative, after 25 steps"


def test_training_people_without_a_t2_get_one_that_is_called_synthetic(cache):
    assert synthesise_t2(cache, ContrastTranslator().eval()) == 1
    again = ArrayCache(cache.folder)
    made = again.scans(synthetic=True)
    assert [(scan.name, scan.subject, scan.part, scan.modality) for scan in made] == [("C-T2-synthetic", "C", "training", "T2")]
    assert again.volume(made[0]).shape == again.volume(again.scans(modality="T1")[0]).shape
    assert len(again.scans(synthetic=False)) == len(cache.scans())
    assert synthesise_t2(again, ContrastTranslator().eval()) == 1 and len(ArrayCache(cache.folder).scans(synthetic=True)) == 1


def test_every_session_of_a_person_is_a_pair_or_a_synthetic_scan_of_its_own(cache):
    first, second = (cache.volume(cache.scans("training", "T1")[0]).roll(shift, 3) for shift in (0, 1))
    scans = [*cache.scans(), *(CachedScan(f"{who}-{day}-T1", who, "T1", "training") for who in "DE" for day in (1, 2))]
    scans += [CachedScan("D-1-T2", "D", "T2", "training", paired=True)]
    for scan in scans[len(cache.scans()) :]:
        write_volume(cache.folder, scan.name, second if "2-T1" in scan.name else first, paired=first if scan.paired else None)
    write_index(cache.folder, scans)
    cache = ArrayCache(cache.folder)
    assert [who for who, _, _ in pairs(cache, "training")] == ["A", "B", "D"]
    synthesise_t2(cache, ContrastTranslator().eval())
    assert [scan.name for scan in ArrayCache(cache.folder).scans(synthetic=True)] == ["C-T2-synthetic", "E-1-T2-synthetic", "E-2-T2-synthetic"]


def test_a_pair_that_does_not_fit_any_more_is_refused(cache):
    scan = cache.scans("training", "T1")[0]
    write_volume(cache.folder, scan.name, cache.volume(scan).roll(1, 1))
    with pytest.raises(InputError, match="do not lie on one grid any more"):
        pairs(cache, "training")


def test_a_model_trained_on_synthetic_scans_says_so(cache):
    synthesise_t2(cache, ContrastTranslator().eval())
    told = provenance(TrainingConfig(modalities=["T2"], real_weight=3), ArrayCache(cache.folder))
    assert told["synthetic_t2"] and told["synthetic_scans"] == 1 and told["training_scans"] == {"T2": 2}
    assert told["synthetic_share"] == pytest.approx(1 / 7, abs=1e-3)
    assert not provenance(TrainingConfig(modalities=["T1"]), ArrayCache(cache.folder))["synthetic_t2"]


def test_the_network_sees_the_neighbours_and_where_it_is():
    volume = torch.arange(5.0).expand(1, 4, 6, 5)
    seen = with_context(volume)
    assert seen.shape == (5, 6, 4, 6)
    assert seen[2, :3, 0, 0].tolist() == [1, 2, 3] and seen[0, :3, 0, 0].tolist() == [0, 0, 1]
    assert seen[:, 5, 0, 0].tolist() == [-1, -0.5, 0, 0.5, 1]


def test_another_model_file_is_refused(tiny_model):
    with pytest.raises(InputError, match="holds uma_ddpm, not a translator"):
        load_translator(Artefact.load(tiny_model))
    assert load_translator(Artefact(METHOD, {}, ContrastTranslator().state_dict()))


def test_a_cache_without_pairs_is_refused(tiny_cache):
    with pytest.raises(InputError, match="no training people with T1 and T2"):
        train_contrast(tiny_cache, steps=1)
