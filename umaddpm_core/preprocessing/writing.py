"""Writing an image at once or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import SimpleITK as sitk

from umaddpm_core.errors import InputError


def write_image(image: sitk.Image, path: Path) -> Path:
    """Write an image, compressed where the format can, under a temporary name first; the folder is made.

    Raises:
        InputError: the file cannot be written there.
    """
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image, str(temporary), useCompression=True)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path} cannot be written.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return path
