"""Results as files that other programs read."""

from __future__ import annotations

import csv
from pathlib import Path

from .nodes import SceneError
from ..replacing import replacing
from .result import ANOMALY_MAP, EXAMINED, MASK, MODEL_OUTPUT, NOTICE, RECONSTRUCTION, TABLE, Result
from .segmentation import write_mask
from .volumes import write_volume

FORMATS = (".nii.gz", ".nrrd")


def export(result: Result, folder: Path, ending: str = ".nii.gz") -> list[Path]:
    """Write the mask as it is now, the other volumes, and the lesion table into a folder.

    Args:
        ending: one of `FORMATS`.

    Returns:
        The files.

    Raises:
        SceneError: another ending, nodes that are gone, or a folder that cannot be written to.
    """
    if ending not in FORMATS:
        raise SceneError(f"Volumes are written as {' or '.join(FORMATS)}, not as {ending}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SceneError(f"{folder} cannot be made ({error.strerror}).") from error
    grid = result.require(ANOMALY_MAP)
    files = [write_mask(result.require(MASK), grid, folder / f"mask{ending}")]
    if result.get(EXAMINED) is not None:
        files.append(write_mask(result.get(EXAMINED), grid, folder / f"examined{ending}"))
    for role in (ANOMALY_MAP, RECONSTRUCTION, MODEL_OUTPUT):
        if result.get(role) is not None:
            files.append(write_volume(result.get(role), folder / f"{role}{ending}"))
    return [*files, write_lesions(result, folder / "lesions.csv")]


def write_mask_to_send(result: Result, path: Path) -> Path:
    """The mask as it is now, for `Client.save_label`: on the grid of the scan that was sent.

    Raises:
        SceneError: mask or anomaly map are gone, or the file cannot be written.
    """
    return write_mask(result.require(MASK), result.require(ANOMALY_MAP), path)


def write_lesions(result: Result, path: Path) -> Path:
    """The lesion table as CSV, with what made it in every row.

    Raises:
        SceneError: the table is gone, or the file cannot be written.
    """
    table, report = result.require(TABLE).GetTable(), result.report
    columns = [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())]
    version = report.get("package_version", "")
    made_by = {"Threshold": f"{result.threshold:g}", "Model": report.get("model", ""), "Version": version, "Notice": NOTICE}
    try:
        # With a mark at the beginning, or spreadsheets take the signs for something else.
        with replacing(path) as part, part.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.writer(file)
            writer.writerow([*columns, *made_by])
            for row in range(table.GetNumberOfRows()):
                writer.writerow([*(table.GetValue(row, index).ToString() for index in range(len(columns))), *made_by.values()])
    except OSError as error:
        raise SceneError(f"{path.name} cannot be written to {path.parent} ({error.strerror}).") from error
    return path
