"""Write `docs/benchmark.md` from a finished comparison.

    umaddpm compare benchmarks/comparison.yaml --cache cache -o run/compare --kept docs/results/comparison
    python benchmarks/benchmark_figure.py run/compare --cache cache
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

from ablation_table import FIRST, SECOND, THIRD, gain, kept_runs
from common import RESULTS, ROOT, table
from scipy.stats import spearmanr

from umaddpm_core.data.replacing import replacing

PAGE = ROOT / "docs" / "benchmark.md"
PAPER = Path(__file__).with_name("paper_table_1.csv")
REAL = {"T1": "LGG", "T2": "three tumours"}
PROTOCOLS = ("published", "signed")

HEAD = """<!-- Written by `python benchmarks/benchmark_page.py`; changes made by hand are lost. -->
# Benchmark

The paper's method and the seven it is compared with, and the plain one-step DDPM of the family, trained with one budget on the same healthy scans and judged on the same cases by the same code, beside a baseline without learning. The figures come from `umaddpm compare benchmarks/comparison.yaml --cache cache -o run/compare --kept docs/results/comparison`. **Research use only.**
"""

IN_SHORT = """## In short

The first by AUPRC, and what the paired permutation test over patients says of the others against {reference}, corrected for their number (Holm). *Not told apart* means that chance alone could explain the difference, whatever the order; three cases can never tell anything. The test compares trained models, one of each method; how much another seed changes, {shown}.
"""

PROTOCOL = """## Protocol

- **Training**: real IXI scans of one site; for T2, synthetic ones beside the few real ones. {long:,} slices for every learned method with one seed{short}, in the preset `small`, in mixed precision. T1 and T2 apart.
- **Thresholds**: never from cases that are reported. `lesion_dice` has the highest pooled Dice on the 15 development cases of LGG; T2 has no development cases, so `synthetic_dice` stands there, from lesions painted into scans of validation people. `DSC, oracle` takes the best threshold of every single case, and is no result anyone could have.
- **Published protocol**: size of the residual, brain margin of three voxels in every slice, median filter of 5 voxels; components of up to 7 voxels dropped: as in the code of pDDPM and mDDPM, with its errors mended and its so-called specificity shown under its formula.
- **Signed protocol**: this project's. The residual keeps its sign until it is filtered, with a Gaussian of 2 voxels after the median; what is darker counts in T1 and what is brighter in T2, the other direction three quarters.
- **Painted lesions**: one of each kind in every healthy test person, sizes drawn from the LGG development cases. They are no patients; no figure of theirs is a figure on patients.
"""

COMPARABLE = """The paper trained on 465 of 581 IXI scans of three sites, took the threshold on its validation scans, and tested on all 1,251 cases of BraTS21, mostly high-grade gliomas. It gives neither the size of the networks nor the length of the training; in the code of its ancestors the U-Net has 20 times as many parameters as here and sees many times as many slices. Here T1 cases are low-grade gliomas whose mask was drawn on FLAIR, so that much of it cannot be seen in T1; T2 cases are three, which is enough to see a method fail and not enough to rank methods. Only the order can be compared, not the figures."""

ORDER = """## Where the order comes from

What was tried to explain it, and to make the method better:

- **The parts of the method.** Beyond its masks, {reference} has the modality-aware bottleneck and the dual-domain loss. In the ablation of the [model card](MODEL_CARD.md) ({slices:,} slices, t = 499), the first changes the AUPRC on tumours by {mam}, the second by {dual}.
- **The time step.** The paper does not give it; t = 499 is that of the code it comes from. The tables *AUPRC by the time step of repainting* say what the same models give at others. They choose nothing.
- **The detail.** What a method repaints coarsely, it marks. Among the learned methods the AUPRC on tumours (published protocol) goes with the PSNR on healthy people: Spearman's rank correlation {detail}. With so few slices the one-step models repaint coarsely at t = 499; DAE, which never loses a scan's detail, does not.
- **The training.** *{reference}, ours* is the same network in the same number of slices, with shapes painted into the training scans that it has to take away, the loss everywhere, and t = 150: the settings of the shipped model. AUPRC, published protocol: {ours}.
{length}"""
LENGTH = """- **The length of the training.** After {slices:,} slices the first is {first} (published protocol, mean of {seeds} seeds, their standard deviation behind it). No method's deviation is above {deviation:.3f}. Spearman's rank correlation of the order then with that after {long:,} slices: {agreement}.
"""


class Comparison:
    """What `umaddpm compare` wrote: its plan, the long runs, and its tables, of which no footnote is told twice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = json.loads((folder / "comparison.json").read_text())
        self.plan: dict[str, Any] = kept["plan"]
        self.runs = [run for run in kept["runs"] if "cost" in run]
        self._footnotes: set[str] = set()

    def table(self, name: str) -> str:
        """A table as Markdown, without the footnotes that stood under an earlier one."""
        lines = (self.folder / "tables" / f"{name}.md").read_text().splitlines()
        kept = [line for line in lines if line.startswith(("|", "**")) or line not in self._footnotes or not line]
        self._footnotes.update(line for line in lines if not line.startswith("|"))
        return "\n".join(_with_breaks(kept)).rstrip() + "\n"

    def rows(self, name: str) -> list[dict[str, str]]:
        """The rows of a table by column."""
        with (self.folder / "tables" / f"{name}.csv").open() as file:
            return list(csv.DictReader(file))


def _with_breaks(lines: list[str]) -> list[str]:
    """Every footnote on a line of its own."""
    return [line + "  " if line and not line.startswith(("|", "**")) else line for line in lines]


def slug(modality: str, protocol: str) -> str:
    """The file of the table of the real cases."""
    return f"{REAL[modality].replace(' ', '_').lower()}_{modality}_{protocol}"


def in_short(comparison: Comparison) -> str:
    """By sequence and protocol, who is first and which differences to the reference are more than chance."""
    reference, lines = comparison.plan["reference"], []
    for modality in comparison.plan["modalities"]:
        for protocol in PROTOCOLS:
            rows = comparison.rows(slug(modality, protocol))
            place = next(number for number, row in enumerate(rows, 1) if row["method"] == reference)
            told = {way: [row["method"] for row in rows if row["p (Holm)"].endswith(way)] for way in ("higher", "lower")}
            apart = [*told["higher"], *told["lower"], reference]
            same = [row["method"] for row in rows if row["method"] not in apart]
            lines.append(
                (
                    f"{modality}, {protocol}",
                    f"{rows[0]['method']}, {rows[0]['AUPRC'].split()[0]}",
                    f"{place} of {len(rows)}, {rows[place - 1]['AUPRC'].split()[0]}",
                    *(", ".join(names) or "–" for names in (told["higher"], told["lower"], same)),
                )
            )
    head = ("sequence, protocol", "first, AUPRC", f"{reference}", "significantly higher", "significantly lower", "not told apart")
    shown = "the tables of the short runs show" if comparison.plan["short"] else "the plan's short runs show, which are not in these tables"
    return f"{IN_SHORT.format(reference=reference, shown=shown)}\n{table(head, lines)}\n"


def paper_table(comparison: Comparison, modality: str) -> str:
    """DSC and AUPRC of paper and comparison side by side, and how well the two orders agree."""
    printed = {row["experiment"]: row for row in csv.DictReader(PAPER.open())}
    experiments = {entry["name"]: entry["experiment"] for entry in comparison.plan["methods"]}
    lines, pairs = [], []
    for run in comparison.runs:
        row = printed.pop(experiments.get(run["method"], ""), None) if run["modality"] == modality else None
        if row:
            means = run["sets"][REAL[modality]]["published"]["means"]
            dice = means["dice_lesion_dice" if modality == "T1" else "dice_synthetic_dice"]["mean"]
            auprc = means["auprc"]["mean"]
            pairs.append((float(row[f"{modality} AUPRC"]), auprc))
            lines.append((run["method"], row[f"{modality} DSC"], row[f"{modality} AUPRC"], f"{100 * dice:.2f}", f"{100 * auprc:.2f}"))
    order = spearmanr(*zip(*pairs))
    return (
        f"**Beside the paper's Table 1, {modality}** (%, published protocol)\n\n"
        + table(("method", "paper: DSC", "paper: AUPRC", "here: DSC", "here: AUPRC"), lines)
        + f"\n\nSpearman's rank correlation of the two orders by AUPRC: {order.statistic:.2f} (p = {order.pvalue:.2f}, {len(pairs)} methods).\n"
    )


def by_time_step(modality: str, protocol: str = "published") -> str:
    """AUPRC of the one-step models repainting at other time steps; nothing where `order.py` was not run."""
    path = RESULTS / "order.json"
    rows = [row for row in json.loads(path.read_text())["rows"] if row["modality"] == modality] if path.exists() else []
    if not rows:
        return ""
    steps = sorted({row["t"] for row in rows})
    found = {(row["method"], row["t"]): row[protocol] for row in rows}
    lines = [(name, *(f"{found[name, t]:.3f}" for t in steps)) for name in dict.fromkeys(row["method"] for row in rows)]
    return (
        f"**AUPRC by the time step of repainting, {modality}** ({protocol} protocol, the same models; `python benchmarks/order.py`)\n\n"
        + table(("method", *(f"t = {t}" for t in steps)), lines)
        + "\n"
    )


def length(comparison: Comparison) -> str:
    """Who is first after the short runs, how far seeds lie apart, and whether the longer training keeps the order; nothing without them."""
    plan = comparison.plan
    if not plan["short"]:
        return ""
    firsts, agreements, deviations = [], [], []
    for modality in plan["modalities"]:
        name = slug(modality, "published")
        brief = {row["method"]: row for row in comparison.rows(f"{name}_seeds")}
        long = {row["method"]: float(row["AUPRC"].split()[0]) for row in comparison.rows(name)}
        best = max(brief.values(), key=lambda row: float(row["AUPRC"]))
        firsts.append(f"{best['method']} in {modality}, {best['AUPRC']} ± {best['deviation over seeds']}")
        deviations += [float(row["deviation over seeds"]) for row in brief.values()]
        found = spearmanr(*zip(*((float(row["AUPRC"]), long[method]) for method, row in brief.items())))
        agreements.append(f"{found.statistic:.2f} in {modality}")
    return LENGTH.format(
        slices=plan["short"]["slices"],
        long=plan["long"]["slices"],
        seeds=len(plan["short"]["seeds"]),
        first=", ".join(firsts),
        deviation=max(deviations),
        agreement=", ".join(agreements),
    )


def order(comparison: Comparison) -> str:
    """What the ablation, the time step and other settings say about the order of the methods."""
    reference, modalities, runs = comparison.plan["reference"], comparison.plan["modalities"], kept_runs()
    slices = max(run["slices"] for run in runs)

    def added(better: str, worse: str) -> str:
        return ", ".join(f"{gain(runs, modality, slices, better, worse):+.3f} in {modality}" for modality in modalities)

    def detail(modality: str) -> str:
        some = [run for run in comparison.runs if run["modality"] == modality and run["slices"]]
        pairs = [(run["healthy"]["summary"]["psnr"]["mean"], run["sets"][REAL[modality]]["published"]["means"]["auprc"]["mean"]) for run in some]
        found = spearmanr(*zip(*pairs))
        return f"{found.statistic:.2f} in {modality} (p = {found.pvalue:.1g}, {len(pairs)} models)"

    ours = []
    for modality in modalities:
        found = {row["method"]: row["AUPRC"].split()[0] for row in comparison.rows(slug(modality, "published"))}
        ours.append(f"{found[f'{reference}, ours']} instead of {found[reference]} in {modality}")
    return ORDER.format(
        reference=reference,
        slices=slices,
        mam=added(SECOND, FIRST),
        dual=added(THIRD, SECOND),
        detail=", ".join(map(detail, modalities)),
        ours=", ".join(ours),
        length=length(comparison),
    )


def absent(comparison: Comparison) -> str:
    """The sets of the plan whose cases are not there."""
    missing = [one for one in comparison.plan["sets"] if (comparison.folder / "tables" / f"{one['name'].lower().replace(' ', '_')}_{one['modality']}.md").exists()]
    if not missing:
        return ""
    lines = [(one["name"], one["modality"], f"`{one['source']}`", "not run here") for one in missing]
    told = "`benchmarks/comparison.yaml` says how each is prepared; where the cache is there, the same command judges every method on it, with models that are trained already."
    return f"## Sets that are not here\n\n{table(('set', 'sequence', 'array cache', 'every method'), lines)}\n\n{told}\n"


def page(comparison: Comparison) -> str:
    plan = comparison.plan
    short = plan["short"]
    described = f", {short['slices']:,} with {len(short['seeds'])} seeds to see the spread" if short else ""
    parts = [HEAD, in_short(comparison), PROTOCOL.format(long=plan["long"]["slices"], short=described)]
    for modality in plan["modalities"]:
        parts.append(f"## {modality}\n")
        if (ROOT / "docs" / "images" / f"benchmark_{modality}.png").exists():
            parts.append(
                f"![Every method on lesions painted into IXI scans](images/benchmark_{modality}.png)\n\n*Two healthy people of the IXI test "
                "split, each with a painted lesion (no patients); by method the reconstruction and, below it, the map with the mask. "
                "IXI, CC BY-SA 3.0.*\n"
            )
        parts += [comparison.table(slug(modality, protocol) + seeds) for protocol in PROTOCOLS for seeds in ("", *(["_seeds"] if short else []))]
        parts += [comparison.table(f"healthy_{modality}"), comparison.table(f"kinds_{modality}"), paper_table(comparison, modality), by_time_step(modality)]
    parts += [order(comparison), f"## Why these are not the paper's figures\n\n{COMPARABLE}\n"]
    parts += [f"## Cost\n\n{comparison.table('cost')}", absent(comparison)]
    return "\n".join(part for part in parts if part)


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("comparison", type=Path, help="output folder of `umaddpm compare`")
    folder = parser.parse_args().comparison
    with replacing(PAGE) as temporary:
        temporary.write_text(page(Comparison(folder)))
    shutil.copyfile(folder / "comparison.json", RESULTS / "comparison.json")
    print(f"Wrote {PAGE}.")


if __name__ == "__main__":
    main()
