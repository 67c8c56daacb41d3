"""The selective state-space layer."""

import torch

from umaddpm_core.networks.mamba import Mamba


def test_parameters_are_those_of_mamba_ssm():
    shapes = {name: tuple(parameter.shape) for name, parameter in Mamba(64).named_parameters()}
    assert shapes == {
        "A_log": (128, 16),
        "D": (128,),
        "in_proj.weight": (256, 64),
        "conv1d.weight": (128, 1, 4),
        "conv1d.bias": (128,),
        "x_proj.weight": (36, 128),
        "dt_proj.weight": (128, 4),
        "dt_proj.bias": (128,),
        "out_proj.weight": (64, 128),
    }


def test_looks_only_back():
    layer, x = Mamba(16).eval(), torch.randn(1, 10, 16)
    changed = x.clone()
    changed[:, 6:] += 1
    assert torch.allclose(layer(x)[:, :6], layer(changed)[:, :6], atol=1e-6)
    assert not torch.allclose(layer(x)[:, 6:], layer(changed)[:, 6:])
