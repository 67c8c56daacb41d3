"""What the panel keeps in the scene, so that it is saved and loaded with it; threshold and smallest lesion are each result's own."""

from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper


@parameterNodeWrapper
class AnomalyDetectionParameters:
    """Bound to the widgets whose property `SlicerParameterName` in the `.ui` file is the name of the field.

    Attributes:
        scan: that is examined.
        maskOpacity, heatOpacity: of the mask's filling and of the anomaly map over the scan.
        outlineExamined: whether the examined region is outlined.
    """

    scan: vtkMRMLScalarVolumeNode
    maskOpacity: Annotated[float, WithinRange(0, 1)] = 0.4
    heatOpacity: Annotated[float, WithinRange(0, 1)] = 0.6
    outlineExamined: bool = True
