"""Write `docs/MODEL_CARD.md`, and the README's table, from the model files and the results of the other benchmarks.

    python benchmarks/model_card.py

A result that is not there yet leaves its section out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ablation_table import ablation
from common import RESULTS, ROOT, table
from singles_table import unified_against_single

from umaddpm_core.artefact import Artefact
from umaddpm_core.detection.models import DEFAULT, shipped_models
from umaddpm_core.evaluation.statistics import by_subject, permutation_p

CARD = ROOT / "docs" / "MODEL_CARD.md"

USE = """**Intended use.** Research on unsupervised anomaly detection in brain MRI: marking, in one T1- or T2-weighted scan of an adult
head, what does not look like healthy anatomy, for a person who then looks at the scan. Teaching; comparing methods; a starting
point for training on healthy scans of one's own.

**Out of scope.** Diagnosis, triage, treatment, or any decision about a patient: this is no medical device. Scans of children;
contrast-enhanced T1, FLAIR, diffusion and other sequences; CT; heads after an operation; statements that a scan is normal. The
quality report refuses or flags most of these, and not all.
"""

LIMITS = """- One scanner (Philips 3 T, Hammersmith) made every real training scan. Other scanners' T1 and T2 are met through random
  contrast in training only.
- T2 was learned from few real scans; the rest were made by a network of the same people's T1. What that network smooths away,
  the model has not learned.
- 2 mm: small lesions, cortical lesions and thin rims are missed. The outermost voxel of the brain is not examined.
- Intensity is what is seen. A lesion as bright as what it replaces is invisible; so is atrophy and displacement unless grey
  values change.
- Large ventricles, wide sulci, vessels and the edges of the brain mask are marked in healthy people.
- Ages of the training people are those of IXI (20–86); the model knows neither age nor sex, and marks what is normal in old age
  more often.
"""


def load(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def models(artefacts: dict[str, Artefact]) -> str:
    rows = []
    for name, artefact in artefacts.items():
        config = artefact.config
        count = sum(weights.numel() for weights in artefact.weights.values()) / 1e6
        size = shipped_models()[name].stat().st_size / 1e6
        rows.append(
            (
                f"`{name}`" + (" (default)" if name == DEFAULT else ""),
                ", ".join(artefact.modalities),
                f"{count:.1f} M, {size:.1f} MB",
                f"t = {', '.join(map(str, config['t_test']))}; draws: {config['draws']}",
                "; ".join(f"{m}: `{c['score']}`, `{c['threshold']}`" for m, c in artefact.calibration.items()),
            )
        )
    return table(("model", "sequences", "parameters", "repainted at", "default score and threshold"), rows)


def training(artefacts: dict[str, Artefact]) -> str:
    rows = []
    for name, artefact in artefacts.items():
        history, told = artefact.provenance, []
        while history:
            scans = ", ".join(f"{count} {m}" for m, count in history.get("training_scans", {}).items())
            made = f", {history['synthetic_scans']} synthetic T2 ({100 * history['synthetic_share']:.0f} % of the slices)" if history.get("synthetic_t2") else ""
            told.append(f"{history['slices']:,} slices ({scans}{made})")
            history = history.get("started_from")
        rows.append((f"`{name}`", artefact.provenance["cohort"], "; before that ".join(told), artefact.provenance["seed"]))
    return table(("model", "cohort", "training, the last run first", "seed"), rows)


def thresholds(artefacts: dict[str, Artefact]) -> str:
    rows = []
    for name, artefact in artefacts.items():
        for modality, calibration in artefact.calibration.items():
            for threshold, entry in calibration["scores"][calibration["score"]].items():
                rows.append(
                    (
                        f"`{name}`", modality, f"`{threshold}`" + (" (default)" if threshold == calibration["threshold"] else ""),
                        f"{entry['value']:.3f}", entry["found"], f"{100 * entry['healthy_scans_with_findings']:.0f} %",
                        f"{entry['healthy_median_ml']:.1f} ml",
                    )
                )  # fmt: skip
    return table(("model", "sequence", "threshold", "value", "found as", "healthy scans with a finding", "median marked in them"), rows)


def _p(r: dict[str, Any], figure: str) -> float:
    """Model against baseline on painted lesions: the paired permutation test over people."""
    people = []
    for cases in (r["model_cases"], r["baseline_cases"]):
        lesions = [row for row in cases if row["lesion"]]
        people.append(by_subject([row["subject"] for row in lesions], [row[figure] for row in lesions]))
    return permutation_p(*people)


def _tests(names: Iterable[str]) -> str:
    """The p of every model and sequence."""
    told = []
    for name in names:
        for modality in ("T1", "T2"):
            if r := load(f"healthy_people_{name}_{modality}"):
                told.append(f"`{name}`, {modality}, Dice p = {_p(r, 'dice'):.2g}, AP p = {_p(r, 'average_precision'):.2g}")
    return "; ".join(told)


def _bold(value: float, p: float, better: bool) -> str:
    """A figure with two digits, bold where it is better and chance does not explain it."""
    return f"**{value:.2f}**" if better and p < 0.05 else f"{value:.2f}"


def healthy(names: Iterable[str]) -> str:
    rows = []
    for name in names:
        for modality in ("T1", "T2"):
            if not (r := load(f"healthy_people_{name}_{modality}")):
                continue
            for who, entry in (("model", r["model"]), ("baseline", r["baseline"])):
                s = entry["summary"]
                at = [r["reconstruction_at"][t] for t in ("499", "200")] if who == "model" else []
                low, high = s["dice"]["interval"]
                rows.append(
                    (
                        f"`{name}`" if who == "model" else f"`intensity`, {entry['kind']}", modality, f"{s['people']} / {s['lesions']}",
                        f"{s['dice']['mean']:.3f} ({low:.3f}–{high:.3f})", f"{s['dice']['median']:.3f}",
                        f"{entry['either_direction']['mean']:.3f}" if "either_direction" in entry else "–", f"{s['average_precision']['mean']:.3f}",
                        f"{100 * s['restored']['mean']:.0f} %" if at else "–", f"{s['error_ratio']['mean']:.2f}" if at else "–",
                        " / ".join(f"{a['psnr']:.1f} dB, {a['ssim']:.3f}" for a in at) or "–", f"{100 * s['marked_share']['mean']:.2f} %",
                    )
                )  # fmt: skip
    if not rows:
        return ""
    head = ("", "sequence", "people / painted lesions", "Dice, mean (95 %)", "median", "Dice, `both` at `synthetic_dice`", "AP", "restored", "error ratio", "PSNR, SSIM in the brain at t = 499 / 200", "healthy brain marked")
    return (
        "## Healthy people it has not seen (IXI test split)\n\n" + table(head, rows) + "\n\nPainted lesions are solid or rings of "
        "5–100 ml, 10–40 % darker or brighter than the tissue around them; thresholds are the deployed ones, which count one direction "
        "less and mark few healthy people, and for the baseline `synthetic_dice` and one direction, the best for it on validation people; "
        "beside it the Dice where both directions count and the threshold is the one for painted lesions. "
        f"Paired permutation test over people, model against baseline: {_tests(names)}. "
        "*Restored* is the share "
        "of the mean change that the reconstruction takes back; *error ratio* its voxel-wise error over the untouched scan's. "
        "Training paints shapes too, of another generator; painted lesions therefore flatter the model, and say nothing about "
        "patients.\n"
    )


def tumours(names: Iterable[str]) -> str:
    parts = []
    for name in names:
        if not (r := load(f"tumours_{name}")):
            continue
        for modality, entry in r["modalities"].items():
            default = f"dice_{entry['default']}"
            rows = []
            for who, told, figure in ((f"`{name}`", entry["model"], default), (f"`intensity`, {entry['baseline']['kind']}", entry["baseline"], "dice_synthetic_dice")):
                m = told["means"]
                rows.append(
                    (
                        who, told["cases"], *(f"{m[f]['mean']:.3f} ({m[f]['low']:.3f}–{m[f]['high']:.3f})" for f in (figure, "dice_oracle", "auprc")),
                        f"{told['pooled']['auprc']:.3f}", *(f"{m[figure.replace('dice', rate, 1)]['mean']:.3f}" for rate in ("sensitivity", "precision", "specificity")),
                    )
                )  # fmt: skip
            cohort = "35 TCGA low-grade gliomas" if modality == "T1" else "three gliomas (BraTS, TCGA, BRAINIX)"
            parts.append(
                f"### `{name}`, {modality}: {cohort}\n\n"
                + table(("", "cases", "Dice, deployed threshold", "Dice, oracle per case", "AUPRC", "AUPRC, pooled", "sensitivity", "precision", "specificity"), rows)
                + f"\n\nPaired permutation test, model against baseline: p = {entry['p']['auprc']:.4f} (AUPRC), {entry['p']['dice']:.4f} (Dice).\n"
            )
            if len(entry["model"]["rows"]) < 6:
                theirs = {row["case"]: row for row in entry["baseline"]["rows"]}
                cases = [
                    (row["case"], f"{row[default]:.3f}", f"{theirs[row['case']]['dice_synthetic_dice']:.3f}", f"{row['auprc']:.3f}", f"{row['lesion_ml']:.0f} ml")
                    for row in entry["model"]["rows"]
                ]
                parts.append(table(("case", "Dice", "Dice of the baseline", "AUPRC", "lesion"), cases) + "\n")
    return "## Real tumours\n\n" + "\n".join(parts) if parts else ""


def cost() -> str:
    if not (r := load("network_cost")):
        return ""
    rows = [(p["preset"], f"{p['parameters']:.1f} M", f"{p['gflop']:.1f}", f"{p['seconds_per_pass']:.3f}", p["passes"], f"{p['seconds_per_scan']:.1f}") for p in r["presets"]]
    return (
        f"## Cost of the network ({r['machine']})\n\n" + table(("preset", "parameters", "GFLOP a pass", "s a pass", "passes a scan", "s a scan"), rows)
        + f"\n\nThe `paper` preset takes {r['ratio']:.0f} times as long.\n"
    )  # fmt: skip


def in_short(name: str) -> str:
    """The README's table of one model."""
    rows = []
    for modality in ("T1", "T2"):
        if not (r := load(f"healthy_people_{name}_{modality}")):
            continue
        ours, theirs = r["model"]["summary"], r["baseline"]["summary"]
        who = f"{ours['people']} healthy people (IXI), {modality}"
        at = r["reconstruction_at"]
        rows += [
            (f"{who}: {ours['lesions']} painted lesions, Dice", _bold(ours["dice"]["mean"], _p(r, "dice"), ours["dice"]["mean"] > theirs["dice"]["mean"]), f"{theirs['dice']['mean']:.2f}"),
            (f"{who}: … average precision", _bold(ours["average_precision"]["mean"], _p(r, "average_precision"), ours["average_precision"]["mean"] > theirs["average_precision"]["mean"]), f"{theirs['average_precision']['mean']:.2f}"),
            (f"{who}: healthy brain marked", f"{100 * ours['marked_share']['mean']:.1f} %", f"{100 * theirs['marked_share']['mean']:.1f} %"),
            (
                f"{who}: PSNR, SSIM in the brain at t = 200",
                f"{at['200']['psnr']:.1f} dB, {at['200']['ssim']:.2f}",
                f"{r['population_mean']['psnr']:.1f} dB, {r['population_mean']['ssim']:.2f} (population mean)",
            ),
        ]
    r = load(f"tumours_{name}")
    for modality, entry in (r or {"modalities": {}})["modalities"].items():
        ours, theirs, default = entry["model"]["means"], entry["baseline"]["means"], f"dice_{entry['default']}"
        who = f"{entry['model']['cases']} low-grade gliomas (TCGA), T1" if modality == "T1" else f"{entry['model']['cases']} gliomas, T2"
        rows += [
            (f"{who}: Dice", _bold(ours[default]["mean"], entry["p"]["dice"], ours[default]["mean"] > theirs["dice_synthetic_dice"]["mean"]), f"{theirs['dice_synthetic_dice']['mean']:.2f}"),
            (f"{who}: AUPRC", _bold(ours["auprc"]["mean"], entry["p"]["auprc"], ours["auprc"]["mean"] > theirs["auprc"]["mean"]), f"{theirs['auprc']['mean']:.2f}"),
        ]
    return table((f"`{name}`, deployed threshold", "UMA-DDPM", "best `intensity` baseline"), rows)


def put_between(path: Path, name: str, text: str) -> None:
    """Replace what stands between the comments `<!-- name: begin -->` and `<!-- name: end -->` of a text file."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before = path.read_text()
    path.write_text(re.sub(f"(?s){re.escape(begin)}.*{re.escape(end)}", lambda _: f"{begin}\n{text}\n{end}", before))


def main() -> None:
    artefacts = {name: Artefact.load(path) for name, path in shipped_models().items()}
    names = sorted(artefacts, key=lambda name: (name != DEFAULT, name))
    artefacts = {name: artefacts[name] for name in names}
    licence = next(iter(artefacts.values())).licence
    parts = [
        "<!-- Written by `python benchmarks/model_card.py`; changes made by hand are lost. -->",
        "# Model card: UMA-DDPM\n",
        "**Research use only. Not a medical device, not for diagnosis.**\n",
        "A diffusion model that has only seen healthy brains repaints a scan; what it cannot repaint is marked. How it works is in "
        "[method.md](method.md).\n",
        models(artefacts) + "\n",
        "## Use\n",
        USE,
        "## Training\n",
        training(artefacts) + "\n",
        "Scans of the Hammersmith site of IXI, healthy volunteers, prepared as in [method.md](method.md). People are split 8:1:1 by a "
        "hash of their name, T1 and T2 of a person on one side; the 24 with both 16:3:5, those with labelled tissue first into the test part. Synthetic T2 are made of the training people's T1 by a network "
        "trained on the people who have both; nothing is ever measured on them.\n",
        "## Thresholds and what they cost\n",
        thresholds(artefacts) + "\n",
        "Found on healthy validation people, `lesion_dice` on LGG development cases; never on what is reported below.\n",
        healthy(names),
        tumours(names),
        unified_against_single(DEFAULT),
        ablation(),
        cost(),
        "## Failures\n\n![What is marked in healthy people, where anything is, and painted lesions that were missed](images/failures.png)\n\n"
        "*Written by `python benchmarks/failures.py`; IXI, CC BY-SA 3.0.*\n" if (ROOT / "docs" / "images" / "failures.png").exists() else "",
        "## Limits\n",
        LIMITS,
        f"## Licence\n\n{licence} Code: Apache-2.0.\n",
    ]
    put_between(ROOT / "README.md", "results", in_short(DEFAULT))
    CARD.write_text("\n".join(part for part in parts if part))
    print(f"Wrote {CARD.relative_to(Path.cwd()) if CARD.is_relative_to(Path.cwd()) else CARD}.")


if __name__ == "__main__":
    main()
