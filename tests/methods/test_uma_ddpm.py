"""The switches of UMA-DDPM."""

import pytest
import torch

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.errors import InputError
from umaddpm_core.methods import build

NETWORK = {"base": 16, "multipliers": [1, 2], "blocks": 1, "stem": 4}
SWITCHES = [
    {"frequency_mask": "random"},
    {"frequency_mask": "none"},
    {"rectangles": 0},
    {"painted": 1.0},
    {"noise": "gaussian"},
    {"standardise": True},
    {"shared_noise": False, "shared_noise_test": False},
    {"grid": 3, "overlap": 4},
    {"loss_region": "full"},
    {"phase": "reconstruction"},
    {"log_amplitude": True},
    {"dual_domain": False},
    {"alpha": 0.1, "beta": 2.0},
    {"t_train": [50, 650]},
    {"t_test": [200, 400], "draws": 2},
    {"network": {**NETWORK, "mam": False}},
    {"network": {**NETWORK, "prompts": 4, "spatial_prompts": True}},
    {"network": {**NETWORK, "keep_attention": True}},
    {"network": {**NETWORK, "detail": 8}},
    {"network": {**NETWORK, "mamba_backend": "torch"}},
]


def batch(count=3):
    image = torch.rand(count, 1, 96, 96, generator=torch.Generator().manual_seed(0)).clamp_min(0.01)
    image[:, :, :20] = 0
    return {"image": image, "brain": image > 0}


def volume(depth=3):
    return batch(depth)["image"].permute(1, 2, 3, 0)


def method(**changes):
    torch.manual_seed(0)
    built = build("uma_ddpm", {"network": NETWORK, **changes})
    for parameter in built.network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return built


@pytest.mark.parametrize("switch", SWITCHES, ids=str)
def test_every_switch_has_an_effect_and_trains(switch):
    changed, plain = method(**switch), method()
    draws = [Draws.of(0, torch.arange(3)) for _ in range(2)]
    losses, usual = changed.training_step(batch(), draws[0]), plain.training_step(batch(), draws[1])
    losses["loss"].backward()
    assert all(torch.isfinite(p.grad).all() for p in changed.parameters() if p.grad is not None)
    repainted = changed.reconstruct(volume())
    assert repainted.shape == volume().shape and 0 <= repainted.min() and repainted.max() <= 1
    if switch != {"network": {**NETWORK, "mamba_backend": "torch"}}:
        differs = not torch.equal(repainted, plain.reconstruct(volume()))
        assert differs or not torch.isclose(losses["loss"], usual["loss"], rtol=1e-6)


def test_several_time_steps_are_the_mean_of_each():
    both = method(t_test=[200, 400]).reconstruct(volume())
    each = [method(t_test=t).reconstruct(volume()) for t in (200, 400)]
    assert torch.allclose(both, sum(each) / 2, atol=1e-5)


def test_noise_of_its_own_does_not_depend_on_the_other_slices():
    built = method(shared_noise_test=False)
    assert torch.allclose(built.reconstruct(volume(5))[..., :3], built.reconstruct(volume(5)[..., :3]), atol=1e-5)


def test_outside_the_patch_nothing_is_learned_unless_asked():
    only_patch, everywhere = method(), method(loss_region="full")
    losses = [m.validation_step(batch(), Draws.of(0, torch.arange(3)))["reconstruction"] for m in (only_patch, everywhere)]
    assert losses[0] < losses[1], "three quarters of the composite are the slice itself"


def test_the_detail_blocks_begin_as_nothing():
    torch.manual_seed(0)
    with_detail = build("uma_ddpm", {"network": {**NETWORK, "detail": 8}}).eval()
    without = build("uma_ddpm", {"network": NETWORK}).eval()
    shared = {name: weights for name, weights in with_detail.state_dict().items() if "detail" not in name}
    without.load_state_dict(shared)
    x, t = batch()["image"], torch.tensor([1, 2, 3])
    assert torch.equal(with_detail.predict(x, t)[0], without.predict(x, t)[0])


@pytest.mark.parametrize("wrong", [{"t_test": []}, {"t_test": 1000}, {"t_train": [5, 1000]}, {"painted": 1.5}, {"noise": "pink"}])
def test_a_wrong_setting_is_refused(wrong):
    with pytest.raises(InputError, match="configuration of uma_ddpm is wrong"):
        build("uma_ddpm", wrong)
