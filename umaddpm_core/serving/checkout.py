"""Where the server app and the sample scans lie in a checkout of the repository."""

from pathlib import Path

import umaddpm_core
from umaddpm_core.errors import InputError


def repository_root() -> Path:
    """The folder that holds the `umaddpm_core` package."""
    return Path(umaddpm_core.__file__).resolve().parents[1]


def app_folder() -> Path:
    """The MONAI Label app.

    Raises:
        InputError: the package was installed without the repository around it.
    """
    folder = repository_root() / "apps" / "anomaly"
    if not (folder / "main.py").is_file():
        raise InputError(f"There is no server app at {folder}; use a checkout installed with `pip install -e .`.")
    return folder


def sample_scans() -> dict[str, Path]:
    """The sample scans by id (file name without `.nii.gz`), those with a known tumour first.

    Raises:
        InputError: the checkout holds no sample scan.
    """
    folder = repository_root() / "sample-data"
    scans = sorted(folder.glob("*.nii.gz"), key=lambda scan: (sample_truth(scan) is None, scan.name))
    if not scans:
        raise InputError(f"There is no sample scan (*.nii.gz) in {folder}.")
    return {scan.name.removesuffix(".nii.gz"): scan for scan in scans}


def sample_truth(scan: Path) -> Path | None:
    """The known tumour of a sample scan, or None where it has none."""
    truth = scan.parent / "truth" / scan.name
    return truth if truth.is_file() else None
