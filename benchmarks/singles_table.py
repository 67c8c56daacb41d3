"""The model card's section on one model for both sequences against one model for each, on the same people and patients."""

from __future__ import annotations

import json
from typing import Any

from common import RESULTS, table

MODALITIES = ("T1", "T2")


def unified_against_single(unified: str) -> str:
    """The section, or nothing where no model of a single sequence was measured."""
    rows = [row for modality in MODALITIES for row in _rows(modality, unified, f"{unified}_{modality}")]
    if not rows:
        return ""
    return (
        "## One model for both sequences, or one for each\n\n"
        + table(("sequence", "figure", f"`{unified}`", "single", "unified − single"), rows)
        + "\n\nBoth measured as above, with the same people, patients and painted lesions. The single models start from the weights of the "
        "unified one and are trained on with one sequence.\n"
    )


def _rows(modality: str, unified: str, single: str) -> list[tuple[Any, ...]]:
    names = (unified, single)
    if not (RESULTS / f"tumours_{single}.json").exists():
        return []
    people = [json.loads((RESULTS / f"healthy_people_{name}_{modality}.json").read_text()) for name in names]
    tumours = [json.loads((RESULTS / f"tumours_{name}.json").read_text())["modalities"][modality] for name in names]
    pairs = {
        "painted lesions: Dice, deployed threshold": [one["model"]["summary"]["dice"]["mean"] for one in people],
        "painted lesions: Dice, `both` at `synthetic_dice`": [one["model"]["either_direction"]["mean"] for one in people],
        "painted lesions: average precision": [one["model"]["summary"]["average_precision"]["mean"] for one in people],
        "tumours: Dice, deployed threshold": [one["model"]["means"][f"dice_{one['default']}"]["mean"] for one in tumours],
        "tumours: AUPRC": [one["model"]["means"]["auprc"]["mean"] for one in tumours],
    }
    return [(modality, figure, f"{ours:.3f}", f"{theirs:.3f}", f"{ours - theirs:+.3f}") for figure, (ours, theirs) in pairs.items()]
