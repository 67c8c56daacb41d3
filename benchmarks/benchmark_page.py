"""Write `docs/benchmark.md` from a finished comparison.

    umaddpm compare benchmarks/comparison.yaml --cache cache -o run/compare --kept docs/results/comparison
    python benchmarks/benchmark_page.py run/compare

The tables are those of `umaddpm compare`, as they are; beside them stand the figures that the paper prints, from
`paper_table_1.csv`. What the page was made of is kept as `docs/results/comparison.json`.
"""

from __future__ import annotations

import csv
import json
import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from common import RESULTS, ROOT
from scipy.stats import spearmanr

from umaddpm_core.data.replacing import replacing

PAGE = ROOT / "docs" / "benchmark.md"
PAPER = Path(__file__).with_name("paper_table_1.csv")
REAL = {"T1": "LGG", "T2": "three tumours"}

HEAD = """# Benchmark

Eight methods of the family, trained with one budget on the same healthy scans and judged on the same cases by the same code, beside a baseline without learning. Written by `python benchmarks/benchmark_page.py`; the figures come from `umaddpm compare benchmarks/comparison.yaml --cache cache -o run/compare --kept docs/results/comparison`. Research use only.

**How to read it.** The interval is over people; p says how likely a difference in AUPRC to {reference} would be by chance, corrected for the number of methods. Where p is above 0.05, the data do not tell the two apart, whatever their order.
"""

PROTOCOL = """## Protocol

- **Training**: real IXI scans of one site; for T2, synthetic ones beside the few real ones. {long:,} slices for every learned method with one seed{short}, in the preset `small`. T1 and T2 apart.
- **Thresholds**: never from cases that are reported. `lesion_dice` has the highest pooled Dice on the 15 development cases of LGG; T2 has no development cases, so `synthetic_dice` stands there, from lesions painted into scans of validation people. `DSC, oracle` takes the best threshold of every single case, and is no result anyone could have.
- **Published protocol**: size of the residual, brain margin of three voxels in every slice, median filter of 5 voxels; components of up to 7 voxels dropped: as in the code of pDDPM and mDDPM, with its errors mended and its so-called specificity shown under its formula.
- **Signed protocol**: this project's. The residual keeps its sign until it is filtered, with a Gaussian of 2 voxels after the median; what is darker counts in T1 and what is brighter in T2, the other direction three quarters.
- **Painted lesions**: one of each kind in every healthy test person, sizes drawn from the LGG development cases. They are no patients; no figure of theirs is a figure on patients.
"""

COMPARABLE = """The paper trained on 581 IXI scans of three sites and tested on 1,151 cases of BraTS21, mostly high-grade gliomas, with thresholds from 100 further ones; networks were 20 times as large, and training many times as long. Here T1 cases are low-grade gliomas whose mask was drawn on FLAIR, so that much of it cannot be seen in T1; T2 cases are three, which is enough to see a method fail and not enough to rank methods. Only the order can be compared, not the figures."""


def paper_table(runs: list[dict[str, Any]], experiments: dict[str, str], modality: str) -> str:
    """DSC and AUPRC of paper and comparison side by side, and how well the two orders agree."""
    printed = {row["experiment"]: row for row in csv.DictReader(PAPER.open())}
    lines, pairs = ["| method | paper: DSC | paper: AUPRC | here: DSC | here: AUPRC |", "|---|---|---|---|---|"], []
    for run in runs:
        row = printed.get(experiments.get(run["method"], ""))
        if row and run["modality"] == modality:
            means = run["sets"][REAL[modality]]["published"]["means"]
            dice = means.get("dice_lesion_dice", means["dice_synthetic_dice"])["mean"]
            auprc = means["auprc"]["mean"]
            pairs.append((float(row[f"{modality} AUPRC"]), auprc))
            lines.append(
                f"| {run['method']} | {row[f'{modality} DSC']} | {row[f'{modality} AUPRC']} | {100 * dice:.2f} | {100 * auprc:.2f} |"
            )
    order = spearmanr(*zip(*pairs))
    return "\n".join([*lines, "", f"Spearman's rank correlation of the two orders by AUPRC: {order.statistic:.2f} (p = {order.pvalue:.2f}, {len(pairs)} methods)."])


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("comparison", type=Path, help="output folder of `umaddpm compare`")
    folder = parser.parse_args().comparison
    kept = json.loads((folder / "comparison.json").read_text())
    plan, runs = kept["plan"], [run for run in kept["runs"] if "cost" in run]
    experiments = {entry["name"]: entry["experiment"] for entry in plan["methods"]}
    short = plan["short"]
    described = f", {short['slices']:,} with {len(short['seeds'])} seeds to see the spread" if short else ""
    parts = [HEAD.format(reference=plan["reference"]), PROTOCOL.format(long=plan["long"]["slices"], short=described)]
    shown = set()

    def table(name: str) -> str:
        shown.add(name)
        return (folder / "tables" / f"{name}.md").read_text()

    for modality in plan["modalities"]:
        slug = REAL[modality].replace(" ", "_").lower() + f"_{modality}"
        parts.append(f"## {modality}\n")
        parts += [table(f"{slug}_{protocol}{seeds}") for protocol in ("published", "signed") for seeds in ("", "_seeds" if short else "")]
        parts += [table(f"healthy_{modality}"), table(f"kinds_{modality}")]
        parts.append(f"**Beside the paper's Table 1, {modality}** (%, published protocol)\n\n{paper_table(runs, experiments, modality)}\n")
    parts.append(f"## Why these are not the paper's figures\n\n{COMPARABLE}\n")
    parts.append(f"## Cost\n\n{table('cost')}")
    absent = [path.stem for path in sorted((folder / "tables").glob("*.md")) if path.stem not in shown]
    if absent:
        parts.append("## Sets that are not here\n")
        parts += [table(name) for name in absent]
    with replacing(PAGE) as temporary:
        temporary.write_text("\n".join(dict.fromkeys(parts)))
    shutil.copyfile(folder / "comparison.json", RESULTS / "comparison.json")
    print(f"Wrote {PAGE}.")


if __name__ == "__main__":
    main()
