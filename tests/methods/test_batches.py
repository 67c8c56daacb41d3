"""Where a device runs out of memory, fewer slices go at once, and the result is the same."""

import pytest
import torch
from small_methods import CONFIGS, volume

from umaddpm_core.methods import METHODS, build
from umaddpm_core.methods.batches import SLICES_AT_ONCE, in_batches

SLICEWISE = sorted(set(METHODS) - {"svae", "intensity"})
"""The methods that work slice by slice; the others take the whole scan, which is small for them."""


def out_of_memory_above(method, most):
    """Let the networks of a method fail for more slices than this; stands for a GPU that is too small, of which there is none."""
    asked = []

    def refuse(module, arguments):
        asked.append(len(arguments[0]))
        if len(arguments[0]) > most:
            raise torch.OutOfMemoryError("CUDA out of memory (a double of it)")

    for network in method.children():
        network.register_forward_pre_hook(refuse)
    return asked


@pytest.mark.parametrize("name", SLICEWISE)
def test_reconstruction_is_the_same_however_few_slices_fit(name):
    torch.manual_seed(0)
    method = build(name, CONFIGS[name]).eval()
    scan, _ = volume(depth=20)
    whole = method.reconstruct(scan)
    asked, shares = out_of_memory_above(method, 3), []
    assert torch.allclose(method.reconstruct(scan, progress=shares.append), whole, atol=1e-5)
    assert asked[0] == SLICES_AT_ONCE and asked[-1] <= 2 and max(asked[5:]) <= 3, "what did not fit is not tried again"
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1)


def test_a_single_slice_that_does_not_fit_is_an_error():
    method = build("dae", CONFIGS["dae"]).eval()
    asked = out_of_memory_above(method, 0)
    with pytest.raises(torch.OutOfMemoryError):
        method.reconstruct(volume()[0])
    assert asked == [6, 3, 1]


def test_every_number_is_done_once_and_in_order():
    done = []

    def work(numbers):
        if len(numbers) > 5:
            raise torch.OutOfMemoryError
        done.extend(numbers.tolist())

    assert in_batches(torch.arange(23), work) == 4
    assert done == list(range(23))
