"""The extension as the Extensions Index wants it: CMake lists, metadata, pictures, and the entry, against what is in the tree."""

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest
from AnomalyDetectionLib.sample_data import SCANS, SOURCE
from PIL import Image

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "slicer_extension"
MODULE = EXTENSION / "AnomalyDetection"
CMAKE = (EXTENSION / "CMakeLists.txt").read_text()
ENTRY = EXTENSION / "UMADDPM.json"
KEYS = {
    "$schema", "build_dependencies", "build_subdirectory", "category", "dicom_support_rule", "enabled", "scm_revision", "scm_type",
    "scm_url", "tier",
}  # fmt: skip
"""Of the published schema 1.0.1 and 1.0.2, which allow no others; the first, the category, and `scm_url` are required."""


def metadata(name):
    return re.search(rf'set\(EXTENSION_{name} "([^"]+)"\)', CMAKE)[1]


def listed(name):
    text = (MODULE / "CMakeLists.txt").read_text().replace("${MODULE_NAME}", "AnomalyDetection")
    return re.search(rf"set\({name}\n(.*?)\n  \)", text, re.DOTALL)[1].split()


def test_every_file_of_the_module_is_installed_and_none_is_listed_that_is_not_there():
    scripts = {path.relative_to(MODULE).as_posix() for path in MODULE.rglob("*.py")}
    resources = {path.relative_to(MODULE).as_posix() for path in (MODULE / "Resources").rglob("*") if path.is_file()}
    assert sorted(listed("MODULE_PYTHON_SCRIPTS")) == sorted(scripts)
    assert sorted(listed("MODULE_PYTHON_RESOURCES")) == sorted(resources)


def test_names_agree_in_cmake_entry_and_repository():
    assert re.search(r"project\((\w+)\)", CMAKE)[1] == ENTRY.stem == "UMADDPM" and not ENTRY.stem.startswith("Slicer")
    url = json.loads(ENTRY.read_text())["scm_url"]
    assert re.fullmatch(r"https://github\.com/[\w-]+/SlicerUMADDPM\.git", url)
    assert metadata("HOMEPAGE") == url.removesuffix(".git")
    assert "add_subdirectory(AnomalyDetection)" in CMAKE and "research use only" in metadata("DESCRIPTION").lower()


def test_entry_holds_what_the_schema_allows():
    text = ENTRY.read_bytes()
    entry = json.loads(text)
    assert b"\r" not in text and entry.keys() <= KEYS and {"$schema", "category", "scm_url"} <= entry.keys()
    schemas = "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0."
    assert entry["$schema"].rstrip("#") in (f"{schemas}1.json", f"{schemas}2.json")
    assert entry["tier"] in (1, 3, 5) and entry["category"] == "Segmentation" and isinstance(entry["build_dependencies"], list)


@pytest.mark.parametrize("name", ["ICONURL", "SCREENSHOTURLS"])
def test_pictures_named_in_cmake_are_in_the_repository(name):
    base = metadata("HOMEPAGE").replace("github.com", "raw.githubusercontent.com") + "/main/"
    for url in metadata(name).split():
        with Image.open(EXTENSION / url.removeprefix(base)) as picture:
            assert url.startswith(base) and picture.format == "PNG"
            assert picture.size == ((128, 128) if name == "ICONURL" else (1280, 800))


def test_licence_is_that_of_the_project():
    assert (EXTENSION / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_sample_data_are_the_projects_own_scans():
    for file, digest in SCANS.values():
        assert hashlib.sha256((ROOT / "sample-data" / file).read_bytes()).hexdigest() == digest
    assert SOURCE.startswith(metadata("HOMEPAGE").replace("github.com", "raw.githubusercontent.com"))


def test_nothing_is_installed_and_no_program_is_started_in_slicer():
    for path in MODULE.rglob("*.py"):
        assert not re.search(r"pip_install|pip_ensure|subprocess|os\.system", path.read_text()), path.name


def test_nothing_that_is_built_is_part_of_the_extension():
    files = subprocess.run(["git", "ls-files", "slicer_extension"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert files and not [name for name in files if "__pycache__" in name or name.endswith((".pyc", ".svg"))]


def test_links_of_the_readme_lead_somewhere():
    for page in ("README.md", "TESTING.md"):
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", (EXTENSION / page).read_text()):
            assert (EXTENSION / target).exists(), f"{page}: {target}"
