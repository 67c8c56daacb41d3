"""The optional backend: ANTs, as in the method's ancestors (`Affine`)."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import SimpleITK as sitk

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.registration.evidence import Evidence


def refine(evidence: Evidence, starts: list[sitk.AffineTransform]) -> sitk.AffineTransform:
    """Twelve parameters by `ants.registration(type_of_transform="Affine")` (Avants et al. 2011).

    The same to the last bit only with ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1 in the environment; else within 0.1 mm.

    Args:
        starts: rough maps of the template's points to the scan's; the first is taken.

    Raises:
        InputError: antspyx is not installed, or ANTs gives up.
    """
    try:
        import ants
    except ImportError as error:
        raise InputError("Registration with ANTs needs antspyx; install it with `pip install -e '.[ants]'`.") from error

    def converted(image: sitk.Image):
        voxels = sitk.GetArrayFromImage(image).transpose()
        direction = [list(image.GetDirection()[row : row + 3]) for row in (0, 3, 6)]
        return ants.from_numpy(voxels, list(image.GetOrigin()), list(image.GetSpacing()), direction)

    with TemporaryDirectory() as folder:
        initial = Path(folder) / "start.mat"
        sitk.WriteTransform(starts[0], str(initial))
        try:
            found = ants.registration(
                fixed=converted(evidence.template),
                moving=converted(evidence.scan),
                type_of_transform="Affine",
                initial_transform=[str(initial)],
                mask=converted(sitk.Cast(evidence.region, sitk.sitkFloat32)),
                outprefix=str(Path(folder) / "found"),
                aff_random_sampling_rate=1.0,
                random_seed=1,
            )
        except RuntimeError as error:
            raise InputError("This scan could not be aligned to the brain template with ANTs.") from error
        return sitk.AffineTransform(sitk.ReadTransform(found["fwdtransforms"][0]))
