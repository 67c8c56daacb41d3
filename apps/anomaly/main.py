"""The MONAI Label app: one inferer, `anomaly`, and one trainer, `uma_ddpm`."""

import gc
import logging
import os
import signal
import threading
from pathlib import Path
from typing import Any

from lib.infers import AnomalyInfer
from lib.scoring import Agreement
from lib.strategies import AnyCase, HighestScore, MostUncertain
from lib.trainers import UMADDPMTraining
from monailabel.config import settings
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.infer_v2 import InferTask
from monailabel.interfaces.tasks.scoring import ScoringMethod
from monailabel.interfaces.tasks.strategy import Strategy
from monailabel.interfaces.tasks.train import TrainTask
from monailabel.tasks.activelearning.first import First

import umaddpm_core
from umaddpm_core.serving.detections import Detections, configured_default
from umaddpm_core.serving.dicom.datastore import configured_datastore
from umaddpm_core.serving.models.catalogue import Catalogue
from umaddpm_core.serving.models.versions import SERVED
from umaddpm_core.serving.retraining.trainings import Trainings
from umaddpm_core.serving.security.callbacks import ask_own_server
from umaddpm_core.serving.security.install import configured_audit_log
from umaddpm_core.serving.security.datastore import folder_of_scans

logger = logging.getLogger(__name__)


class AnomalyApp(MONAILabelApp):
    """Serves UMA-DDPM. Construction loads nothing, because training and batch jobs construct the app again."""

    def __init__(self, app_dir: str, studies: str, conf: dict[str, str]) -> None:
        catalogue = Catalogue(Path(app_dir) / "model", configured_default())
        self.detections = Detections(catalogue)
        self.trainings = Trainings(catalogue, Path(app_dir) / "model" / "retraining", configured_audit_log(Path(app_dir)))
        super().__init__(
            app_dir,
            studies,
            conf,
            name="UMA-DDPM anomaly detection",
            description="Unsupervised anomaly detection in brain MRI. Research use only.",
            version=umaddpm_core.__version__,
        )
        self._warming: threading.Thread | None = None

    def init_datastore(self) -> Datastore:
        if self.studies.startswith(("http://", "https://")):
            return super().init_datastore()
        return folder_of_scans(self.studies)

    def _init_dicomweb_datastore(self) -> Datastore:
        return configured_datastore(self.studies)

    def init_infers(self) -> dict[str, InferTask]:
        return {"anomaly": AnomalyInfer(self.detections, self.datastore())}

    def init_trainers(self) -> dict[str, TrainTask]:
        return {SERVED: UMADDPMTraining(self.trainings)}

    def init_strategies(self) -> dict[str, Strategy]:
        return {"highest_score": HighestScore(), "most_uncertain": MostUncertain(), "random": AnyCase(), "first": First()}

    def init_scoring_methods(self) -> dict[str, ScoringMethod]:
        return {"agreement": Agreement()}

    def is_ready(self) -> bool:
        """Whether the default model is loaded; one that nobody loads yet is loaded from now on."""
        self._warm_up_aside()
        return self._infers["anomaly"].is_warm

    def on_init_complete(self) -> None:
        self._warm_up_aside()
        super().on_init_complete()

    def _warm_up_aside(self) -> None:
        """Load the model in a thread of its own, once, so that the server answers meanwhile."""
        if self._warming is None:
            self._warming = threading.Thread(target=self._warm_up, name="warm-up", daemon=True)
            self._warming.start()

    def _warm_up(self) -> None:
        try:
            self._infers["anomaly"].warm_up()
        except Exception:
            logger.exception("The server ends, because it cannot load its model.")
            os.kill(os.getpid(), signal.SIGTERM)
            return
        # A full garbage collection walks through everything imported so far and stops every request for a third of a
        # second; what is here at the start stays, so it need not be walked through again.
        gc.collect()
        gc.freeze()

    def _local_request(self, url: str, params: dict[str, Any] | None, action: str) -> Any:
        return ask_own_server(url, params, action, settings.MONAI_LABEL_SERVER_PORT)
