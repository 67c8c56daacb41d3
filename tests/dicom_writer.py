"""Writes images as DICOM, so that what is read can be compared with what was written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid


def phantom(size=(24, 20, 22), spacing=(3.0, 3.5, 4.0), turn=(0.0, 0.0, 0.0), axes=(0, 1, 2)) -> sitk.Image:
    """Noise on a grid that is turned (radians) and whose axes are exchanged."""
    image = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 2000, size[::-1]).astype(np.int16))
    rotation = sitk.Euler3DTransform()
    rotation.SetRotation(*turn)
    image.SetSpacing(spacing)
    image.SetOrigin((-31.0, 12.5, 70.25))
    image.SetDirection(np.reshape(rotation.GetMatrix(), (3, 3))[:, list(axes)].ravel().tolist())
    return image


def slices(image: sitk.Image, *, slope: float = 1, intercept: float = 0, **elements: object) -> list[Dataset]:
    """The slices of an image as MR images of one series."""
    stored = _stored(image, slope, intercept)
    elements = {"SeriesInstanceUID": generate_uid(), "SeriesNumber": 3, "SeriesDescription": "Phantom", **elements}
    datasets = []
    for number, voxels in enumerate(stored):
        dataset = _header(image, MRImageStorage, voxels)
        dataset.InstanceNumber = number + 1
        dataset.ImageOrientationPatient = _orientation(image)
        dataset.ImagePositionPatient = _position(image, number)
        dataset.PixelSpacing = [image.GetSpacing()[1], image.GetSpacing()[0]]
        if (slope, intercept) != (1, 0):
            dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = slope, intercept, "US"
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        datasets.append(dataset)
    return datasets


def study(image: sitk.Image, **elements: object) -> list[Dataset]:
    """The slices of an image as a series of a study, with all that archives know them by; the patient's name is not ASCII."""
    elements = {
        "StudyInstanceUID": generate_uid(), "FrameOfReferenceUID": generate_uid(), "SpecificCharacterSet": "ISO_IR 100",
        "PatientName": "Müller^Jörg", "StudyDate": "20260102", "StudyTime": "101112", "AccessionNumber": "A1", **elements,
    }  # fmt: skip
    return slices(image, **elements)


def reversed_order(datasets: list[Dataset]) -> list[Dataset]:
    """The same slices, counted and stored from the other end."""
    for number, dataset in enumerate(reversed(datasets)):
        dataset.InstanceNumber = number + 1
    return datasets[::-1]


def enhanced(image: sitk.Image, order: Sequence[int], slopes: Sequence[float] = (), **elements: object) -> Dataset:
    """The image as one multi-frame file, its slices in any order; `slopes` rescale slice by slice."""
    stored = _stored(image, 1, 0)
    if slopes:
        stored = np.rint(stored / np.reshape(slopes, (-1, 1, 1))).astype(np.int16)
    dataset = _header(image, EnhancedMRImageStorage, stored[list(order)])
    dataset.NumberOfFrames = len(order)
    dataset.SeriesInstanceUID = generate_uid()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    measures = {"PixelSpacing": [image.GetSpacing()[1], image.GetSpacing()[0]], "SliceThickness": image.GetSpacing()[2]}
    timing = {"RepetitionTime": 500.0, "FlipAngle": 90.0}
    shared = {
        "PixelMeasuresSequence": _item(**measures),
        "PlaneOrientationSequence": _item(ImageOrientationPatient=_orientation(image)),
        "MRTimingAndRelatedParametersSequence": _item(**timing),
        "MREchoSequence": _item(EffectiveEchoTime=9.0),
    }
    dataset.EchoPulseSequence = "SPIN"
    dataset.SharedFunctionalGroupsSequence = _item(**shared)
    frames = []
    for number in order:
        groups = {"PlanePositionSequence": _item(ImagePositionPatient=_position(image, number))}
        if slopes:
            groups["PixelValueTransformationSequence"] = _item(RescaleSlope=slopes[number], RescaleIntercept=0, RescaleType="US")
        frames += _item(**groups)
    dataset.PerFrameFunctionalGroupsSequence = Items(frames)
    return dataset


def save(datasets: Iterable[Dataset], folder: Path, names: Iterable[str] | None = None) -> Path:
    """Write datasets into a folder, by default as `IM000.dcm`, `IM001.dcm` …"""
    folder.mkdir(exist_ok=True, parents=True)
    datasets = list(datasets)
    for dataset, name in zip(datasets, names or (f"IM{number:03d}.dcm" for number in range(len(datasets)))):
        dataset.save_as(folder / name, write_like_original=False)
    return folder


def assert_same_place(read: sitk.Image, source: sitk.Image) -> None:
    """Every voxel lies where one lay, to 1e-3 mm; the order of the slices may be the other."""
    assert read.GetNumberOfPixels() == source.GetNumberOfPixels()
    for corner in np.ndindex(2, 2, 2):
        index = [int(end * (side - 1)) for end, side in zip(corner, read.GetSize())]
        there = np.array(source.TransformPhysicalPointToContinuousIndex(read.TransformIndexToPhysicalPoint(index)))
        assert np.abs((there - np.rint(there)) * source.GetSpacing()).max() < 1e-3
        assert all(0 <= place < side for place, side in zip(np.rint(there), source.GetSize()))


def assert_same_scan(read: sitk.Image, source: sitk.Image, tolerance: float = 0.0) -> None:
    """Every voxel lies where it lay, and is what it was."""
    assert_same_place(read, source)
    expected = sitk.Resample(sitk.Cast(source, sitk.sitkFloat32), read, sitk.Transform(), sitk.sitkNearestNeighbor, -1e6)
    difference = np.abs(sitk.GetArrayFromImage(read) - sitk.GetArrayFromImage(expected))
    assert difference.max() <= tolerance


def _stored(image: sitk.Image, slope: float, intercept: float) -> np.ndarray:
    return np.rint((sitk.GetArrayFromImage(image) - intercept) / slope).astype(np.int16)


def _header(image: sitk.Image, kind: str, voxels: np.ndarray) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.is_little_endian, dataset.is_implicit_VR = True, False
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = kind
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.Modality = "MR"
    dataset.PatientName, dataset.PatientID = "Doe^Jane", "4711"
    dataset.Columns, dataset.Rows = image.GetSize()[:2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.PixelData = voxels.tobytes()
    return dataset


def _orientation(image: sitk.Image) -> list[float]:
    return np.reshape(image.GetDirection(), (3, 3))[:, :2].T.ravel().round(9).tolist()


def _position(image: sitk.Image, number: int) -> list[float]:
    return np.round(image.TransformIndexToPhysicalPoint((0, 0, number)), 6).tolist()


def _item(**elements: object) -> Items:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return Items([item])
