"""Slicer without its window: scene, logics and offscreen slice views of slicer-core, and files as the server sends them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import vtk
from AnomalyDetectionLib.scene import Comparison, Layout, Result, add_result
from AnomalyDetectionLib.scene.volumes import read_volume
from AnomalyDetectionLib.views import description
from vtk.util.numpy_support import vtk_to_numpy

THRESHOLD = 0.1
SHAPE = (36, 40, 48)
"""K, J, I."""


class View:
    """One slice view, drawn offscreen as the application draws it."""

    SIZE = (240, 200)

    def __init__(self, desk: Desk, name: str, orientation: str, group: int) -> None:
        scene = desk.scene
        self.node = scene.CreateNodeByClass("vtkMRMLSliceNode")
        self.node.UnRegister(None)
        self.node.SetLayoutName(name)
        self.node.SetSingletonTag(name)
        self.node.SetName(name)
        self.node.SetViewGroup(group)
        scene.AddNode(self.node)
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
        self.node.SetOrientation(orientation)
        self.node.SetDimensions(*self.SIZE, 1)
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(desk.logic)
        self.logic.SetMRMLScene(scene)
        self.logic.SetSliceNode(self.node)
        desk.logic.GetSliceLogics().AddItem(self.logic)
        self.composite = self.logic.GetSliceCompositeNode()
        self._window = None

    def _made(self, logic: Any) -> None:
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(True)
        self._window.SetMultiSamples(0)
        self._window.SetSize(*self.SIZE)
        renderer = vtk.vtkRenderer()
        self._window.AddRenderer(renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        mapper.SetInputConnection(self.logic.GetImageDataConnection())
        self._image = vtk.vtkActor2D()
        self._image.SetMapper(mapper)
        # Before the displayable managers, or the filling of segments is not blended with it.
        renderer.AddActor2D(self._image)
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(logic)
        if not factory.IsDisplayableManagerRegistered("vtkMRMLSegmentationsDisplayableManager2D"):
            factory.RegisterDisplayableManager("vtkMRMLSegmentationsDisplayableManager2D")
        self._group = factory.InstantiateDisplayableManagers(renderer)
        self._group.SetMRMLDisplayableNode(self.node)

    def close(self) -> None:
        """Take apart what draws, from the outside in: VTK crashes where Python's garbage collector does it in any order."""
        if self._window is not None:
            self._group.SetMRMLDisplayableNode(None)
            self._window.Finalize()
            self._group = self._image = self._interactor = self._window = None
        self.logic.SetSliceNode(None)
        self.logic.SetMRMLScene(None)

    def picture(self, logic: Any) -> np.ndarray:
        """What is seen: uint8 [height, width, 3], the first row at the bottom."""
        if self._window is None:
            self._made(logic)
        self.logic.UpdatePipeline()
        self._window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self._window)
        grab.ReadFrontBufferOff()
        grab.Update()
        image = grab.GetOutput()
        width, height, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)[:, :, :3].copy()


class Desk:
    """A scene with what the application has around it."""

    def __init__(self, folder: Path) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.logic = slicer.vtkMRMLApplicationLogic()
        self.logic.SetMRMLScene(self.scene)
        self._slice_logics = vtk.vtkCollection()
        self.logic.SetSliceLogics(self._slice_logics)
        self._cache = slicer.vtkCacheManager()
        self._cache.SetRemoteCacheDirectory(str(folder))
        self._io = slicer.vtkDataIOManager()
        self._io.SetCacheManager(self._cache)
        self._cache.SetMRMLScene(self.scene)
        self.scene.SetCacheManager(self._cache)
        self.scene.SetDataIOManager(self._io)
        self.scene.SetRootDirectory(str(folder))
        self._colours = slicer.vtkMRMLColorLogic()
        self._colours.SetMRMLScene(self.scene)
        self._segmentations = slicer.vtkSlicerSegmentationsModuleLogic()
        self._segmentations.SetMRMLScene(self.scene)
        factory = slicer.vtkSegmentationConverterFactory.GetInstance()
        for rule in (slicer.vtkBinaryLabelmapToClosedSurfaceConversionRule, slicer.vtkClosedSurfaceToBinaryLabelmapConversionRule):
            factory.RegisterConverterRule(rule())
        self.views: dict[str, View] = {}
        self._comparisons: list[Comparison] = []

    def make_views(self) -> None:
        """What the application does when a layout is chosen: a view for every one that it names."""
        for element in ElementTree.fromstring(description(Layout.SCAN_RECONSTRUCTION_MAP)).iter("view"):
            told = {one.get("name"): one.text for one in element.iter("property")}
            name = element.get("singletontag")
            self.views[name] = View(self, name, told["orientation"], int(told["viewgroup"]))

    def comparison(self) -> Comparison:
        if not self.views:
            self.make_views()
        self._comparisons.append(Comparison(self.scene, self.logic))
        return self._comparisons[-1]

    def close(self) -> None:
        for comparison in self._comparisons:
            comparison.close()
        for view in self.views.values():
            view.close()
        self._slice_logics.RemoveAllItems()
        self.views.clear()
        self.scene.Clear(True)
        for logic in (self._segmentations, self._colours, self.logic):
            logic.SetMRMLScene(None)

    def picture(self, name: str) -> np.ndarray:
        return self.views[name].picture(self.logic)

    def load(self, path: Path, name: str = "scan") -> Any:
        node = read_volume(self.scene, path, name)
        node.CreateDefaultDisplayNodes()
        return node


@pytest.fixture
def make_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Desk]]:
    """Makes scenes that know nothing of each other."""
    desks: list[Desk] = []

    def make() -> Desk:
        desks.append(Desk(tmp_path_factory.mktemp("cache")))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(make_desk: Callable[[], Desk]) -> Desk:
    return make_desk()


@dataclass(frozen=True)
class Delivery:
    """Files of a detection as they come from the server, with the scan they belong to; lesions lie at `centres` (I, J, K)."""

    scan: Path
    files: dict[str, Path]
    report: dict
    centres: tuple[tuple[int, int, int], ...]

    def image(self, name: str) -> sitk.Image:
        return sitk.ReadImage(str(self.scan if name == "scan" else self.files[name]))

    def voxels(self, name: str) -> np.ndarray:
        return sitk.GetArrayFromImage(self.image(name))

    def ijk_to_ras(self, name: str = "scan") -> np.ndarray:
        return ijk_to_ras_of(self.image(name))


def ijk_to_ras_of(image: sitk.Image) -> np.ndarray:
    """The geometry of an image of SimpleITK as Slicer says it, 4 x 4."""
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return np.diag([-1.0, -1, 1, 1]) @ affine


@pytest.fixture
def geometry() -> Any:
    """Reads the geometry of an image as Slicer says it."""
    return ijk_to_ras_of


def deliver(folder: Path, lesions: tuple = (((30, 22, 20), 5, 0.4), ((14, 14, 12), 3, 0.2))) -> Delivery:
    """An oblique scan and its detection; each lesion has a centre, a radius and a score."""
    folder.mkdir(parents=True, exist_ok=True)
    k, j, i = np.mgrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    brain = ((k - 18) / 15) ** 2 + ((j - 20) / 17) ** 2 + ((i - 24) / 21) ** 2 < 1
    scan = np.where(brain, 400.0 + 4 * i + 2 * j + k, 0.0).astype(np.float32)
    score, healthy = np.where(brain, 0.02, 0).astype(np.float32), scan.copy()
    for (ci, cj, ck), radius, height in lesions:
        inside = (k - ck) ** 2 + (j - cj) ** 2 + (i - ci) ** 2 <= radius**2
        score[inside] = height
        scan[inside] -= 250
    turn = sitk.Euler3DTransform()
    turn.SetRotation(0.15, -0.1, 0.2)
    examined = brain & (k > 6)
    volumes = {
        "scan": scan, "mask": (score > THRESHOLD).astype(np.uint8), "reconstruction": healthy, "model_output": healthy * 0.9,
        "anomaly_map": score, "examined": examined.astype(np.uint8),
        "structures": np.where(brain, np.where(i < 24, 41, 2), 0).astype(np.uint8),
    }  # fmt: skip
    files = {}
    for name, values in volumes.items():
        image = sitk.GetImageFromArray(values)
        image.SetSpacing((1.2, 1.5, 2.0))
        image.SetOrigin((-20.0, -40.0, 15.0))
        image.SetDirection(turn.GetMatrix())
        files[name] = folder / f"{name}.nii.gz"
        sitk.WriteImage(image, str(files[name]))
    report = {
        "model": "uma_ddpm", "package_version": "0.1", "not_examined_percent": 12.5,
        "threshold": {"name": "synthetic_dice", "value": THRESHOLD, "score": "both"},
    }  # fmt: skip
    (folder / "report.json").write_text(json.dumps(report))
    return Delivery(files.pop("scan"), files, report, tuple(centre for centre, _, _ in lesions))


@pytest.fixture(scope="session")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    return deliver(tmp_path_factory.mktemp("delivery"))


@pytest.fixture
def delivered() -> Any:
    """Makes deliveries with other lesions, or none."""
    return deliver


@pytest.fixture
def result(desk: Desk, delivery: Delivery) -> Result:
    return add_result(desk.scene, desk.load(delivery.scan), delivery.files, delivery.report)
