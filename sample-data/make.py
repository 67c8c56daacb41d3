"""Make the sample scans: the average head of the IXI training split, deformed, with a simulated tumour.

    python sample-data/make.py ../shared/data/ixi

Writes the T1 scans beside this script and the tumours painted into them to `truth/`. No person's scan is in them: each
is the mean of many people's, brought into each other's shape, then smoothly deformed at random. Needs the package
installed and about ten minutes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from umaddpm_core.data.cohorts import ixi, ixi_brain_labels
from umaddpm_core.data.splits import healthy_split, sequences_by_subject
from umaddpm_core.preprocessing.brain_extraction import brain_mask
from umaddpm_core.preprocessing.grid import resampled
from umaddpm_core.preprocessing.reading import read_scan
from umaddpm_core.preprocessing.registration import register
from umaddpm_core.resources import TEMPLATE, TEMPLATE_BRAIN

PEOPLE = 20
SPACING_MM = 1.5
BRAIN_LEVEL = 200
"""Intensity of bright brain in the scans."""
NOISE = 1.6
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Sample:
    """One scan to make: its name, the seed of deformation and outline, the tumour's centre in template millimetres (LPS),
    its radius, its contrast to the brain, whether it has a darker core, and whether the scan keeps its skull."""

    name: str
    seed: int
    centre: tuple[float, float, float]
    radius_mm: float
    contrast: float
    core: bool
    skull: bool


SAMPLES = (
    Sample("sample1-tumour-T1", 1, (88.0, -150.0, 88.0), 21.0, -0.36, True, True),
    Sample("sample2-stripped-T1", 2, (152.0, -95.0, 82.0), 17.0, -0.33, False, False),
    Sample("sample3-healthy-T1", 3, (120.0, -120.0, 80.0), 0.0, 0.0, False, True),
)


def average_head(folder: Path) -> tuple[sitk.Image, sitk.Image]:
    """Mean head of the training split in template space, bright brain at `BRAIN_LEVEL`, and its mean brain mask (0–1).

    The first mean is of heads that are registered affinely; the second, sharper one of the same heads deformed to it.
    """
    template, template_brain = sitk.ReadImage(str(TEMPLATE), sitk.sitkFloat32), sitk.ReadImage(str(TEMPLATE_BRAIN))
    scans = ixi(folder)
    parts = healthy_split(sequences_by_subject(scans), ixi_brain_labels(folder))
    chosen = [scan for scan in scans if scan.modality == "T1" and parts[scan.subject] == "training"][:PEOPLE]
    grid = head_grid(template)
    heads, brains = [], []
    for number, scan in enumerate(chosen, 1):
        image = read_scan(scan.path).image
        mask, _ = brain_mask(image)
        transform = register(image, mask, template, template_brain).transform
        inside = resampled(mask, grid, transform, sitk.sitkLinear)
        head = resampled(image, grid, transform, sitk.sitkBSpline)
        level = np.percentile(sitk.GetArrayFromImage(head)[sitk.GetArrayFromImage(inside) > 0.5], 98)
        heads.append(sitk.Clamp(head * (BRAIN_LEVEL / level), sitk.sitkFloat32, 0, 2.5 * BRAIN_LEVEL))
        brains.append(inside)
        print(f"\r{number} of {len(chosen)} heads aligned", end="", file=sys.stderr)
    mean = _mean(heads)
    fields = []
    for number, head in enumerate(heads, 1):
        fields.append(deformation(mean, head))
        print(f"\r{number} of {len(chosen)} heads deformed", end="", file=sys.stderr)
    print(file=sys.stderr)
    return (
        _mean([sitk.Resample(head, head, field, sitk.sitkBSpline, 0.0) for head, field in zip(heads, fields)]),
        _mean([sitk.Resample(brain, brain, field, sitk.sitkLinear, 0.0) for brain, field in zip(brains, fields)]),
    )


def deformation(mean: sitk.Image, head: sitk.Image) -> sitk.DisplacementFieldTransform:
    """Where each point of the mean lies in a head: symmetric-forces demons at twice the spacing, coarse to fine."""
    demons = sitk.FastSymmetricForcesDemonsRegistrationFilter()
    demons.SmoothDisplacementFieldOn()
    field = None
    for shrink, iterations, stiffness in ((4, 40, 1.5), (2, 20, 1.5)):
        fixed, moving = (sitk.Shrink(sitk.DiscreteGaussian(image, float(shrink)), [shrink] * 3) for image in (mean, head))
        demons.SetNumberOfIterations(iterations)
        demons.SetStandardDeviations(stiffness)
        if field is None:
            field = demons.Execute(fixed, moving)
        else:
            field = demons.Execute(fixed, moving, sitk.Resample(field, fixed))
    return sitk.DisplacementFieldTransform(sitk.Cast(sitk.Resample(field, mean), sitk.sitkVectorFloat64))


def head_grid(template: sitk.Image) -> sitk.Image:
    """A grid around the template with room for skull and face."""
    grid = sitk.Image([136, 164, 140], sitk.sitkUInt8)
    grid.SetSpacing([SPACING_MM] * 3)
    middle = template.TransformContinuousIndexToPhysicalPoint([(side - 1) / 2 for side in template.GetSize()])
    shift = (0.0, 4.0, -8.0)
    grid.SetOrigin([m + s - SPACING_MM * (side - 1) / 2 for m, s, side in zip(middle, shift, grid.GetSize())])
    return grid


def deformed(image: sitk.Image, seed: int) -> sitk.Image:
    """The image under a smooth random displacement of a few millimetres."""
    random = np.random.default_rng(seed)
    transform = sitk.BSplineTransformInitializer(image, [6, 6, 6])
    transform.SetParameters(random.normal(0, 3.0, len(transform.GetParameters())).tolist())
    return sitk.Resample(image, image, transform, sitk.sitkLinear, 0.0)


def tumour(grid: sitk.Image, brain: np.ndarray, sample: Sample) -> np.ndarray:
    """The tumour's region: a ball with a wavy outline, inside the brain."""
    random = np.random.default_rng(sample.seed + 100)
    if not sample.radius_mm:
        return np.zeros(brain.shape, dtype=bool)
    z, y, x = np.ogrid[tuple(slice(side) for side in brain.shape)]
    centre = grid.TransformPhysicalPointToContinuousIndex(sample.centre)
    distance = SPACING_MM * np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + 1.2 * (z - centre[2]) ** 2)
    waves = ndimage.zoom(random.standard_normal([side // 10 for side in brain.shape]), 10.0, order=3)
    waves = np.pad(waves, [(0, side - wave) for side, wave in zip(brain.shape, waves.shape)], mode="edge")
    return (distance * (1 + 0.15 * waves) < sample.radius_mm) & (brain > 0.6)


def make(sample: Sample, head: sitk.Image, brain: sitk.Image) -> tuple[sitk.Image, sitk.Image]:
    """Scan (int16) and tumour mask (uint8) on an oblique grid of scanner-like axes."""
    random = np.random.default_rng(sample.seed + 200)
    scan = sitk.GetArrayFromImage(deformed(head, sample.seed))
    inside = sitk.GetArrayFromImage(deformed(brain, sample.seed))
    region = tumour(head, inside, sample)
    profile = region.astype(float)
    if sample.core and region.any():
        depth = ndimage.distance_transform_edt(region)
        profile[depth > 0.55 * depth.max()] = 1.35
    weight = ndimage.gaussian_filter(profile, 0.8)
    local = ndimage.gaussian_filter(scan, 6)
    scan = scan * (1 - 0.5 * np.minimum(weight, 1)) + 0.5 * np.minimum(weight, 1) * local + sample.contrast * weight * local
    scan = scan + random.normal(0, NOISE, scan.shape) * (ndimage.gaussian_filter(scan, 3) > 0.1 * BRAIN_LEVEL)
    if not sample.skull:
        scan = np.where(inside > 0.5, np.maximum(scan, 1), 0)
    return tilted(np.rint(np.clip(scan, 0, None)), head, sitk.sitkInt16), tilted(region.astype(np.uint8), head, sitk.sitkUInt8)


def tilted(voxels: np.ndarray, grid: sitk.Image, pixel: int) -> sitk.Image:
    """The image as a slightly oblique sagittal acquisition would store it: other axis order, tilted header."""
    image = sitk.PermuteAxes(_image(voxels, grid), [1, 2, 0])
    turn = sitk.Euler3DTransform()
    turn.SetRotation(0.06, -0.04, 0.05)
    direction = np.array(turn.GetMatrix()).reshape(3, 3) @ np.array(image.GetDirection()).reshape(3, 3)
    image.SetDirection(direction.ravel().tolist())
    return sitk.Cast(image, pixel)


def _mean(images: list[sitk.Image]) -> sitk.Image:
    return _image(np.mean([sitk.GetArrayFromImage(image) for image in images], axis=0), images[0])


def _image(voxels: np.ndarray, grid: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(voxels.astype(np.float32))
    image.CopyInformation(grid)
    return image


if __name__ == "__main__":
    head, brain = average_head(Path(sys.argv[1]))
    for sample in SAMPLES:
        scan, region = make(sample, head, brain)
        sitk.WriteImage(scan, str(FOLDER / f"{sample.name}.nii.gz"), useCompression=True)
        sitk.WriteImage(region, str(FOLDER / "truth" / f"{sample.name}.nii.gz"), useCompression=True)
