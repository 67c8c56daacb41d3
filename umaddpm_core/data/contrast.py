"""T2 for people of whom there is only a T1: translated by a network, and always labelled as synthetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from umaddpm_core.artefact import Artefact
from umaddpm_core.data.binding import locked
from umaddpm_core.data.cache import ArrayCache, CachedScan, write_index, write_volume
from umaddpm_core.errors import InputError
from umaddpm_core.networks.contrast import ContrastTranslator

METHOD = "contrast"
"""What an artefact of the translator calls its method."""

Pair = tuple[str, Tensor, Tensor]
"""A person, and their T1 and T2 on one grid: [1, 96, 96, S] in [0, 1]."""


def pairs(cache: ArrayCache, part: str) -> list[Pair]:
    """The people of a part of the split whose T1 and T2 were on one grid.

    Raises:
        InputError: a T1 was prepared anew since its T2 was.
    """
    t1 = {scan.name: scan for scan in cache.scans(part, "T1")}
    paired = [(scan, t1.get(_renamed(scan, "T1"))) for scan in cache.scans(part, "T2") if scan.paired]
    found = [(scan.subject, cache.volume(partner), cache.paired(scan)) for scan, partner in paired if partner]
    for subject, first, second in found:
        if not torch.equal(first > 0, second > 0):
            raise InputError(f"T1 and T2 of {subject} do not lie on one grid any more; make the cache again (--redo).")
    return found


def _renamed(scan: CachedScan, modality: str) -> str:
    """What a scan of the same person and session in another sequence is called."""
    return f"{scan.name.removesuffix(scan.modality)}{modality}"


def load_translator(artefact: Artefact) -> ContrastTranslator:
    """The translator in a model file.

    Raises:
        InputError: the file holds something else.
    """
    if artefact.method != METHOD:
        raise InputError(f"This model file holds {artefact.method}, not a translator from T1 to T2.")
    network = ContrastTranslator()
    try:
        network.load_state_dict(artefact.weights)
    except RuntimeError as error:
        raise InputError("The weights in this model file do not fit the translator it names.") from error
    return network.eval()


def synthesise_t2(cache: ArrayCache, network: ContrastTranslator, progress: Callable[[float], None] | None = None) -> int:
    """Give every healthy training person without a T2 a synthetic one, in the cache; those there are made anew.

    Returns:
        How many people got one. Validation and test people never do: nothing is measured on what a network made.

    Raises:
        InputError: another run is filling the cache.
    """
    made = []
    with locked(cache.folder):
        cache = ArrayCache(cache.folder)
        real = {scan.subject for scan in cache.scans(modality="T2", synthetic=False)}
        sources = [scan for scan in cache.scans("training", "T1", healthy=True) if scan.subject not in real]
        for done, source in enumerate(sources, 1):
            entry = replace(source, name=f"{_renamed(source, 'T2')}-synthetic", modality="T2", synthetic=True, paired=False)
            write_volume(cache.folder, entry.name, network.translate(cache.volume(source)))
            made.append(entry)
            if progress:
                progress(done / len(sources))
        write_index(cache.folder, [*cache.scans(synthetic=False), *made])
    return len(made)
