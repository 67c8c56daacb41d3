"""One scan of a batch: examined, its mask saved as label, and what came of it noted with the image."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from umaddpm_core.serving import inference
from umaddpm_core.serving.jobs.job import asked
from umaddpm_core.serving.scan_source import held_scan

if TYPE_CHECKING:
    from monailabel.interfaces.app import MONAILabelApp

    from umaddpm_core.serving.batch.request import BatchRequest

KEY = "batch"
"""Under which the outcome stands in an image's info."""
MADE_WITH = "made_with"
"""Under which stands in a label's info with which weights, parameters and file it was made."""
MOST_LESIONS = 50
"""Kept with a label, the largest first: the index of the datastore holds every label's info."""


def made_with(app: MONAILabelApp, image: str, request: BatchRequest) -> dict[str, Any]:
    """What a mask depends on: where it is the same, the mask is.

    Raises:
        InputError: there is no such model.
    """
    scan = Path(app.datastore().get_image_info(image).get("path", ""))
    # A series of an archive never changes.
    state = scan.stat() if scan.is_file() else None
    return {
        "weights": app.detections.weights(request.parameters.model),
        "asked": asked(request.parameters),
        "scan": [state.st_size, state.st_mtime_ns] if state else None,
    }


def is_done(app: MONAILabelApp, image: str, request: BatchRequest) -> bool:
    """Whether the image has a mask that this batch would make again."""
    datastore = app.datastore()
    if not datastore.get_label_by_image_id(image, request.tag):
        return False
    return datastore.get_label_info(image, request.tag).get(MADE_WITH) == made_with(app, image, request)


def examine(app: MONAILabelApp, inferer: str, image: str, request: BatchRequest, **work: Any) -> dict[str, Any]:
    """Examine a scan and save its mask; the report.

    Args:
        work: `cancellation`, `progress` and `worker` of the queue.

    Raises:
        InputError: a scan that cannot be examined.
        Cancelled: the cancellation was set.
    """
    key = made_with(app, image, request)
    with held_scan(app, image, "") as scan:
        result = inference.infer(app, inferer, scan, request.parameters, image=image, **work)
        mask, report = Path(result["file"]), result["params"]
        try:
            kept = {**report, "lesions": report["lesions"][:MOST_LESIONS], "findings": len(report["lesions"])}
            app.datastore().save_label(image, str(mask), request.tag, {"model": inferer, "params": kept, MADE_WITH: key})
        finally:
            mask.unlink(missing_ok=True)
    return report


def note_outcome(app: MONAILabelApp, image: str, state: str, reason: str | None) -> None:
    """Keep with the image how its examination ended, and why it failed."""
    app.datastore().update_image_info(image, {KEY: {"state": state, "reason": reason, "time": int(time.time())}})
