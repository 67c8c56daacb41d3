"""The MONAI Label app: one inferer, `anomaly`."""

import gc
from pathlib import Path
from typing import Any

from lib.infers import AnomalyInfer
from lib.scoring import Agreement
from lib.strategies import HighestScore, MostUncertain
from monailabel.config import settings
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.infer_v2 import InferTask
from monailabel.interfaces.tasks.scoring import ScoringMethod
from monailabel.interfaces.tasks.strategy import Strategy
from monailabel.tasks.activelearning.first import First
from monailabel.tasks.activelearning.random import Random

import umaddpm_core
from umaddpm_core.serving.detections import Detections, configured_default
from umaddpm_core.serving.security.callbacks import ask_own_server
from umaddpm_core.serving.security.datastore import folder_of_scans


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

    def init_datastore(self) -> Datastore:
        if self.studies.startswith(("http://", "https://")):
            return super().init_datastore()
        return folder_of_scans(self.studies)

    def init_infers(self) -> dict[str, InferTask]:
        return {"anomaly": AnomalyInfer(Detections(Path(self.app_dir) / "model", configured_default()))}

    def init_strategies(self) -> dict[str, Strategy]:
        return {"highest_score": HighestScore(), "most_uncertain": MostUncertain(), "random": Random(), "first": First()}

    def init_scoring_methods(self) -> dict[str, ScoringMethod]:
        return {"agreement": Agreement()}

    def on_init_complete(self) -> None:
        self._infers["anomaly"].warm_up()
        super().on_init_complete()
        # A full garbage collection walks through everything imported so far and stops every request for a third of a
        # second; what is here at the start stays, so it need not be walked through again.
        gc.collect()
        gc.freeze()

    def _local_request(self, url: str, params: dict[str, Any] | None, action: str) -> Any:
        return ask_own_server(url, params, action, settings.MONAI_LABEL_SERVER_PORT)
