"""The U-Net and its modality-aware bottleneck."""

import pytest
import torch

from umaddpm_core.networks.modality_aware import ModalityAwareModule, ModalityAwareSelfPrompt
from umaddpm_core.networks.unet import UNet, UNetConfig


@pytest.mark.parametrize("stem", [1, 2, 4])
@pytest.mark.parametrize("narrow_up", [False, True])
def test_every_head_returns_a_map_of_the_input_size(stem, narrow_up):
    network = UNet(UNetConfig(base=16, multipliers=(1, 2, 2), blocks=1, stem=stem, narrow_up=narrow_up), ("image", "amplitude"))
    maps = network(torch.randn(2, 1, 96, 96), torch.tensor([0, 999]))
    assert [tuple(m.shape) for m in maps] == [(2, 1, 96, 96)] * 2


def test_the_reference_width_has_the_size_of_the_lineage():
    network = UNet(UNetConfig(mam=False), ("image",))
    assert sum(p.numel() for p in network.parameters()) == 37_513_857, "the public U-Net of pDDPM and mDDPM"


def test_prompt_weights_are_cosines_of_the_gated_mean():
    prompt, h = ModalityAwareSelfPrompt(8, prompts=3), torch.randn(2, 8, 5, 5)
    with torch.no_grad():
        prompt.Q.copy_(torch.randn(8))
    q = (h * prompt.Q[None, :, None, None]).mean((2, 3))
    expected = torch.stack([q @ k / (q.norm(dim=1) * k.norm()) for k in prompt.K], 1)
    assert torch.allclose(prompt.weights(h), expected, atol=1e-6)
    assert torch.allclose(prompt(h)[:, :, 0, 0], expected @ prompt.V, atol=1e-6)


def test_the_module_depends_on_the_prompt():
    module, h, embedding = ModalityAwareModule(16, 32), torch.randn(1, 16, 6, 6), torch.randn(1, 32)
    before = module(h, embedding)
    with torch.no_grad():
        module.prompt.V.add_(1)
    assert before.shape == h.shape and not torch.allclose(before, module(h, embedding))


def test_every_parameter_gets_a_gradient():
    network = UNet(UNetConfig(base=16, multipliers=(1, 2), blocks=1, stem=4), ("image", "amplitude"))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    sum(m.square().mean() for m in network(torch.randn(2, 1, 96, 96), torch.tensor([3, 400]))).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_a_spatial_prompt_is_a_map_of_the_bottleneck():
    config = UNetConfig(base=16, multipliers=(1, 2), blocks=1, stem=4, spatial_prompts=True, keep_attention=True, prompts=4)
    network = UNet(config, ("image",))
    assert network.bottleneck.prompt.V.shape == (4, 32, 12, 12)
    assert network(torch.randn(2, 1, 96, 96), torch.tensor([3, 400]))[0].shape == (2, 1, 96, 96)
