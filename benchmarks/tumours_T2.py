"""List the three T2 tumours for `umaddpm preprocess`; BRAINIX gets its mask, the FLAIR's ROI, on the T2's grid.

    python benchmarks/tumours_T2.py -o run/tumours_T2
    umaddpm preprocess run/tumours_T2/cohort.csv -o cache_tumours_T2 --modality T2
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from tumours import t2_cases

from umaddpm_core.data.cohorts import data_root


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", "-o", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with (options.output / "cohort.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "subject", "modality", "lesions", "part"])
        for scan in t2_cases(data_root(), options.output):
            writer.writerow([scan.path.resolve(), scan.subject, scan.modality, scan.lesions.resolve(), "test"])
    print(f"Wrote {options.output / 'cohort.csv'}.")


if __name__ == "__main__":
    main()
