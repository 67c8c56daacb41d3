"""The one way from a scan on disk through MONAI Label to its detection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.reading.self_contained import require_self_contained
from umaddpm_core.serving.durable_index import DurableIndex
from umaddpm_core.serving.review.scores import remember

if TYPE_CHECKING:
    from monailabel.interfaces.app import MONAILabelApp

    from umaddpm_core.serving.parameters import Parameters


def infer(app: MONAILabelApp, model: str, scan: Path, parameters: Parameters, *, image: str = "", **request: Any) -> dict[str, Any]:
    """Let the inferer `model` examine a scan; blocks until it is done.

    Args:
        image: id in the datastore, where the scan is there; then the case's figures are kept with it, for the order of review.
        request: what else `AnomalyInfer` understands: `wants_file`, `results`, `cancellation`, `progress`, `worker`.

    Returns:
        What `MONAILabelApp.infer` returns: `file` and `params`.

    Raises:
        InputError: a scan or a parameter that cannot be used, worded without where the scan lies on the server.
        Cancelled: the cancellation was set.
    """
    try:
        require_self_contained(scan)
        result = app.infer({"model": model, "image": str(scan), "parameters": parameters, **request})
    except InputError as error:
        # Where the scan lies on the server is nobody's business; its name is enough.
        raise type(error)(str(error).replace(str(scan), scan.name)) from error
    if image and isinstance(datastore := app.datastore(), DurableIndex):
        remember(datastore, image, result["params"])
    return result
