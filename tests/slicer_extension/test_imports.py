"""Which part of the extension may import what: everything below the user interface runs without it."""

import ast
import sys
from pathlib import Path

import AnomalyDetectionLib
import pytest

LIBRARY = Path(AnomalyDetectionLib.__file__).parent
STANDARD_ONLY = ("client", "worker", "jobs")
NUMBERS_ONLY = ("runs", "lesions", "structures", "pictures")
IN_SLICER = ("scene", "widget", "parameters", "translation", "self_test", "sample_data")
BELOW = {
    "client": set(), "worker": {"client"}, "jobs": {"client", "worker"}, "structures": set(), "runs": set(),
    "lesions": {"runs", "structures"}, "pictures": set(), "replacing": set(), "translation": set(),
    "calibrations": {"translation"}, "report": {"lesions", "translation"}, "batch": {"client", "replacing"},
    "scene": {"lesions", "pictures", "replacing", "report", "translation", "views"}, "views": set(),
    "parameters": set(), "sample_data": {"translation"}, "self_test": set(),
    "widget": {"batch", "calibrations", "client", "jobs", "lesions", "replacing", "report", "scene", "translation", "worker"},
}  # fmt: skip
"""Part to the parts that it may import."""


def imported(path):
    """Every module that a file names, those of the library with a dot for each level before them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or node.names[0].name)


def files_of(part):
    return sorted((LIBRARY / part).glob("*.py")) if (LIBRARY / part).is_dir() else [LIBRARY / f"{part}.py"]


def test_every_part_is_in_the_contract():
    parts = {path.stem for path in LIBRARY.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert parts - {"__init__"} == BELOW.keys()


@pytest.mark.parametrize("part", BELOW)
def test_part_imports_only_what_is_below_it(part):
    for path in files_of(part):
        inside = (LIBRARY / part).is_dir()
        for name in imported(path):
            top = name.lstrip(".").split(".")[0]
            assert top not in ("umaddpm_core", "ctk", "SimpleITK", "torch", "nibabel"), f"{path.name} imports {name}"
            if top == "qt":
                assert part == "widget", f"{path.name} imports {name}"
            if top in ("slicer", "vtk"):
                assert part in IN_SLICER, f"{path.name} imports {name}"
            if top in ("numpy", "scipy"):
                assert part in NUMBERS_ONLY or part == "scene", f"{path.name} imports {name}"
            if name.startswith(".." if inside else "."):
                assert top in BELOW[part], f"{path.name} imports {name}"


@pytest.mark.parametrize("part", STANDARD_ONLY)
def test_transport_needs_nothing_but_python(part):
    for path in files_of(part):
        for name in imported(path):
            assert name.startswith(".") or name.split(".")[0] in sys.stdlib_module_names, f"{path.name} imports {name}"
