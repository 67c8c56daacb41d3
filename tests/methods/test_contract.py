"""What every registered method must do: train two steps, save, load, reconstruct, be turned into a map."""

import pytest
import torch
from small_methods import CONFIGS, volume

from umaddpm_core.artefact import Artefact
from umaddpm_core.detection.anomaly_map import anomaly_map
from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.errors import Cancelled, InputError
from umaddpm_core.methods import METHODS, build, from_artefact

@pytest.fixture(params=sorted(METHODS))
def name(request):
    return request.param


def test_every_method_has_a_small_configuration_here():
    assert set(CONFIGS) == set(METHODS)


@pytest.mark.parametrize("mixed", (False, True), ids=("32-true", "bf16-mixed"))
def test_trains_saves_loads_reconstructs_and_maps(name, mixed, tmp_path):
    torch.manual_seed(0)
    method = build(name, CONFIGS[name])
    scan, brain = volume()
    stack = torch.arange(max(8, method.window)) % scan.shape[-1]
    batch = {"image": scan.permute(3, 0, 1, 2)[stack], "brain": brain.permute(3, 0, 1, 2)[stack]}
    trained = [parameter for parameter in method.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, 1e-3) if trained else None
    for step, progress in ((0, 0.0), (1, 0.5), (2, 0.9)):
        where = {"step": torch.tensor(step), "progress": torch.tensor(progress)}
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = method.training_step({**batch, **where}, Draws.of(0, torch.arange(len(stack)), step))["loss"]
        assert torch.isfinite(loss) and loss.dtype == torch.float32
        loss.backward()
        if optimiser:
            optimiser.step()
            optimiser.zero_grad()
    method.artefact(modalities=["T1"]).save(tmp_path / "m.safetensors")
    loaded = from_artefact(Artefact.load(tmp_path / "m.safetensors"))
    shares = []
    reconstruction = loaded.reconstruct(scan, progress=shares.append)
    assert reconstruction.shape == scan.shape and torch.isfinite(reconstruction).all()
    assert torch.equal(reconstruction, method.eval().reconstruct(scan)), "reconstruction is seeded, and weights survive the file"
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1)
    score = anomaly_map(scan, reconstruction, brain)
    assert score.shape == scan.shape and not score[~brain].any()


def test_stops_when_asked(name):
    with pytest.raises(Cancelled):
        build(name, CONFIGS[name]).reconstruct(volume()[0], cancelled=lambda: True)


def test_refuses_an_unknown_name_and_a_wrong_configuration(name):
    with pytest.raises(InputError, match="There is no method"):
        build("nonesuch", {})
    with pytest.raises(InputError, match="wrong at"):
        build(name, {"nonesuch": 1})


def test_weights_of_another_method_are_refused(name):
    artefact = build(name, CONFIGS[name]).artefact()
    artefact.weights = {"other": torch.zeros(1)}
    with pytest.raises(InputError, match="do not fit"):
        from_artefact(artefact)
