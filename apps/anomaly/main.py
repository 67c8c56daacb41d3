"""The MONAI Label app: one inferer, `anomaly`."""

import gc
from pathlib import Path

from lib.infers import AnomalyInfer
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.infer_v2 import InferTask

import umaddpm_core
from umaddpm_core.serving.detections import Detections, configured_default
from umaddpm_core.serving.dicom.datastore import configured_datastore


class AnomalyApp(MONAILabelApp):
    """Serves UMA-DDPM. Construction loads nothing, because training and batch jobs construct the app again."""

    def __init__(self, app_dir: str, studies: str, conf: dict[str, str]) -> None:
        super().__init__(
            app_dir,
            studies,
            conf,
            name="UMA-DDPM anomaly detection",
            description="Unsupervised anomaly detection in brain MRI. Research use only.",
            version=umaddpm_core.__version__,
        )

    def _init_dicomweb_datastore(self) -> Datastore:
        return configured_datastore(self.studies)

    def init_infers(self) -> dict[str, InferTask]:
        return {"anomaly": AnomalyInfer(Detections(Path(self.app_dir) / "model", configured_default()), self.datastore())}

    def on_init_complete(self) -> None:
        self._infers["anomaly"].warm_up()
        super().on_init_complete()
        # A full garbage collection walks through everything imported so far and stops every request for a third of a
        # second; what is here at the start stays, so it need not be walked through again.
        gc.collect()
        gc.freeze()
