"""The methods UMA-DDPM is compared with: sizes, and what is particular to each."""

import pytest
import torch

from umaddpm_core.diffusion.draws import Draws
from umaddpm_core.diffusion.schedule import NoiseSchedule
from umaddpm_core.methods import build
from umaddpm_core.methods.dae import coarse_noise
from umaddpm_core.training.config import find_config

SMALL = {"base": 16, "multipliers": [1, 2], "blocks": 1, "stem": 4}


@pytest.fixture
def slices():
    image = torch.rand(16, 1, 96, 96, generator=torch.Generator().manual_seed(0)).clamp_min(1 / 255)
    brain = torch.zeros_like(image, dtype=torch.bool)
    brain[..., 16:80, 10:86] = True
    return {"image": image * brain, "brain": brain}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("ddpm", 34_493_313), ("pddpm", 37_513_857), ("mddpm", 37_513_857), ("anoddpm", 90_400_129), ("dae", 7_701_825)],
)
def test_the_paper_preset_has_the_published_size(name, parameters):
    method = build(name, find_config(name, "paper").method_config)
    assert sum(parameter.numel() for parameter in method.parameters()) == parameters


def test_the_family_differs_by_what_it_is_named_for(slices):
    """The same weights and draws: only masks, patches and context differ."""
    pddpm, mddpm = (build(name, {"network": SMALL}) for name in ("pddpm", "mddpm"))
    mddpm.load_state_dict(pddpm.state_dict())

    def of(method, step):
        return method.training_step(slices, Draws.of(0, torch.arange(16), step))["loss"]

    assert any(of(pddpm, step) != of(mddpm, step) for step in range(3))
    assert pddpm.validation_step(slices, Draws.of(0, torch.arange(16)))["loss"] == mddpm.validation_step(
        slices, Draws.of(0, torch.arange(16))
    )["loss"], "nothing is masked where nothing is learned"
    assert build("ddpm", {"network": SMALL}).config.grid == 1


def test_the_time_step_is_added_where_it_does_not_scale():
    method = build("ddpm", {"network": SMALL})
    blocks = [block for block in method.network.encoder]
    assert all(block.film is None and block.shift is not None for block in blocks)
    torch.nn.init.normal_(method.network.heads["image"].conv.weight)
    for block in blocks:
        torch.nn.init.normal_(block.conv2.weight)
    x = torch.rand(2, 1, 96, 96)
    early, late = (method.predict(x, torch.full((2,), t))[0] for t in (10, 900))
    assert not torch.allclose(early, late)


def test_the_linear_schedule_and_the_way_back():
    schedule = NoiseSchedule("linear")
    assert schedule.alphas_cumprod[260].sqrt() == pytest.approx(0.7036, abs=1e-3)
    x, noise = torch.rand(1, 1, 8, 8) * 2 - 1, torch.randn(1, 1, 8, 8)
    noisy = schedule.add_noise(x, noise, torch.tensor([250]))
    assert torch.allclose(schedule.clean_of(noisy, noise, 250), x, atol=1e-5)
    assert torch.equal(schedule.step_back(noisy, x, noise, 10, -1), x)
    earlier = torch.stack([schedule.step_back(noisy, x, torch.randn_like(x), 250, 240) for _ in range(4000)])
    kept = schedule.alphas_cumprod[240]
    assert torch.allclose((earlier.mean(0) - kept.sqrt() * x) / (1 - kept).sqrt(), noise, atol=0.35), "it stays on the same path"


def test_anoddpm_gives_back_what_a_perfect_network_knows(slices):
    method = build("anoddpm", {"network": SMALL, "t_test": 100, "stride": 9})
    x = slices["image"][:4]

    class Perfect(torch.nn.Module):
        def forward(self, noisy, t):
            kept = method.schedule.alphas_cumprod[t].view(-1, 1, 1, 1)
            return (((noisy - kept.sqrt() * (2 * x - 1)) / (1 - kept).sqrt()),)

    method.network = Perfect()
    volume = x.permute(1, 2, 3, 0)
    assert torch.allclose(method.reconstruct(volume), volume, atol=1e-4)


def test_the_noise_of_the_dae_is_coarse_and_different_in_every_slice():
    noise = coarse_noise(Draws.of(0, torch.arange(200)), 0.2, 12)
    assert noise.shape == (200, 1, 96, 96) and 0.1 < noise.std() < 0.2
    assert (noise[:, :, 1:] - noise[:, :, :-1]).abs().mean() < 0.05
    assert not torch.allclose(noise[0], noise[1])


def test_the_dae_and_the_vaes_learn_a_slice(slices):
    for name, config in (("dae", {"base": 8}), ("vae", {"base": 8, "latent": 16}), ("svae", {"base": 8, "latent": 16})):
        torch.manual_seed(0)
        method = build(name, config)
        optimiser = torch.optim.Adam(method.parameters(), 1e-2)
        smooth = {**slices, "image": slices["brain"] * 0.5}
        losses = []
        for step in range(30):
            loss = method.training_step(smooth, Draws.of(0, torch.arange(16), step))["reconstruction"]
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        assert losses[-1] < losses[0] / 2, name


def test_svae_sees_a_slice_with_its_neighbours():
    torch.manual_seed(0)
    method = build("svae", {"base": 8, "latent": 16}).eval()
    volume = torch.rand(1, 96, 96, 20)
    changed = volume.clone()
    changed[..., 12] = 0.5
    before, after = method.reconstruct(volume), method.reconstruct(changed)
    assert not torch.equal(before[..., 13], after[..., 13])


@pytest.mark.parametrize(
    ("step", "progress", "learning"),
    [(0, 0.1, {"critic", "judgement"}), (5, 0.1, {"decoder"}), (6, 0.2, {"critic", "judgement"}), (5, 0.8, {"encoder", "code"})],
)
def test_f_anogan_trains_one_network_at_a_time(slices, step, progress, learning):
    method = build("fanogan", {"base": 8, "latent": 16})
    where = {"step": torch.tensor(step), "progress": torch.tensor(progress)}
    method.training_step({**slices, **where}, Draws.of(0, torch.arange(16)))["loss"].backward()
    moved = {name.split(".")[0] for name, parameter in method.named_parameters() if parameter.grad is not None}
    assert moved == learning
    assert all(parameter.requires_grad for parameter in method.parameters())
