"""The lesion table: one row for each finding, with a box to leave it out."""

from __future__ import annotations

from collections.abc import Iterable

import slicer
import vtk

from ..lesions import Lesion

KEPT, CENTRE = "Kept", ("R [mm]", "A [mm]", "S [mm]")
COLUMNS = (
    (KEPT, vtk.vtkBitArray),
    ("Lesion", vtk.vtkIntArray),
    ("Volume [ml]", vtk.vtkDoubleArray),
    ("Extent [mm]", vtk.vtkStringArray),
    ("Mean score", vtk.vtkDoubleArray),
    ("Peak score", vtk.vtkDoubleArray),
    ("Side", vtk.vtkStringArray),
    ("Structure", vtk.vtkStringArray),
    *((axis, vtk.vtkDoubleArray) for axis in CENTRE),
)


def fill(node: slicer.vtkMRMLTableNode, lesions: Iterable[Lesion]) -> None:
    """Put lesions into a table, all of them kept, in place of what was in it."""
    table = vtk.vtkTable()
    columns = [kind() for _, kind in COLUMNS]
    for (name, _), column in zip(COLUMNS, columns):
        column.SetName(name)
    for lesion in lesions:
        for column, value in zip(columns, _row(lesion)):
            column.InsertNextValue(value)
    for column in columns:
        table.AddColumn(column)
    node.SetAndObserveTable(table)
    node.SetUseColumnTitleAsColumnHeader(True)


def left_out(node: slicer.vtkMRMLTableNode) -> set[int]:
    """Numbers of the lesions whose box is empty."""
    table = node.GetTable()
    return {
        table.GetValueByName(row, "Lesion").ToInt()
        for row in range(table.GetNumberOfRows())
        if not table.GetValueByName(row, KEPT).ToInt()
    }


def set_kept(node: slicer.vtkMRMLTableNode, number: int, kept: bool) -> None:
    """Tick or empty the box of a lesion."""
    table = node.GetTable()
    for row in range(table.GetNumberOfRows()):
        if table.GetValueByName(row, "Lesion").ToInt() == number:
            table.SetValueByName(row, KEPT, vtk.vtkVariant(int(kept)))
    node.Modified()


def centre(node: slicer.vtkMRMLTableNode, row: int) -> tuple[float, float, float]:
    """Where the lesion of a row lies, in RAS.

    Raises:
        IndexError: there is no such row.
    """
    if not 0 <= row < node.GetTable().GetNumberOfRows():
        raise IndexError(f"The table has no row {row}.")
    return tuple(node.GetTable().GetValueByName(row, axis).ToDouble() for axis in CENTRE)


def _row(lesion: Lesion) -> tuple:
    extent = " × ".join(f"{length:g}" for length in lesion.extent_mm)
    measured = (1, lesion.number, lesion.volume_ml, extent, lesion.mean, lesion.peak)
    return (*measured, lesion.side, lesion.structure, *lesion.centroid_ras)
