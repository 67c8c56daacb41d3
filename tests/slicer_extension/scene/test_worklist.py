"""Which scan is which case, and whether the server has it as it is."""

import pytest
import vtk
from AnomalyDetectionLib.scene.volumes import array_of
from AnomalyDetectionLib.scene.worklist import image_of, is_as_on_server, mark, sequence_in


def test_case_belongs_to_its_server(desk, delivery):
    scan = desk.load(delivery.scan)
    assert image_of(scan, "http://a") == "" and not is_as_on_server(scan)
    mark(scan, "http://a", "case-1")
    assert image_of(scan, "http://a") == "case-1" and is_as_on_server(scan)
    assert image_of(scan, "http://b") == image_of(scan, "") == image_of(None, "http://a") == ""


def painted(scan):
    array_of(scan)[3, 3, 3] += 1


def moved(scan):
    scan.SetOrigin(1, 2, 3)


def transformed(scan):
    transform = scan.GetScene().AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(vtk.vtkMatrix4x4())
    scan.SetAndObserveTransformNodeID(transform.GetID())


@pytest.mark.parametrize("change", [painted, moved, transformed])
def test_scan_that_was_changed_is_not_as_the_server_has_it(desk, delivery, change):
    scan = desk.load(delivery.scan)
    mark(scan, "http://a", "case-1")
    change(scan)
    assert not is_as_on_server(scan) and image_of(scan, "http://a") == "case-1"


def test_scan_that_was_sent_under_a_transform_lies_elsewhere_without_it(desk, delivery):
    scan = desk.load(delivery.scan)
    transformed(scan)
    mark(scan, "http://a", "case-1")
    scan.SetAndObserveTransformNodeID(None)
    assert not is_as_on_server(scan)


@pytest.mark.parametrize("name, sequence", [("DOE T1 MPRAGE", "T1"), ("x-t2", "T2"), ("ST12", ""), ("T1w", "T1"), ("T10", ""), ("", "")])
def test_sequence_is_read_from_a_name(name, sequence):
    assert sequence_in(name) == sequence
