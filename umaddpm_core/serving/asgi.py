"""The ASGI application of the server: stock MONAI Label with its inference route, access, CORS and error answers replaced.

Start it with the stock launcher:

    python -m monailabel.main start_server --app apps/anomaly --studies DIR --host 127.0.0.1 \\
        --uvicorn_app umaddpm_core.serving.asgi:app
"""

from fastapi.middleware.cors import CORSMiddleware
from monailabel.config import settings
from monailabel.endpoints import activelearning, batch_infer, datastore, infer, proxy, scoring, session, train, wsi_infer

from umaddpm_core.serving.api_description import describe_api
from umaddpm_core.serving.batch.install import install_batch
from umaddpm_core.serving.cases.routes import install_cases
from umaddpm_core.serving.dicom.proxy import router as dicom_proxy
from umaddpm_core.serving.error_answers import install_error_answers
from umaddpm_core.serving.infer_route import router
from umaddpm_core.serving.jobs.install import install_jobs
from umaddpm_core.serving.models.routes import router as models
from umaddpm_core.serving.operation.install import install_operation
from umaddpm_core.serving.retention.install import install_retention
from umaddpm_core.serving.retraining.install import install_trainings
from umaddpm_core.serving.security.install import secure
from umaddpm_core.serving.stock_routes import off_the_event_loop

# Emptied before the application is assembled from them. The pathology routes go as well: they block the server while
# they work and take paths of the server as images.
infer.router.routes.clear()
wsi_infer.router.routes.clear()
# A batch on a CPU fails, a scan that cannot be examined ends it, and it loads the model into a process of its own.
batch_infer.router.routes.clear()
# The stock proxy waits on the event loop for the archive, for ever, and through whatever proxy the environment names.
proxy.router.routes.clear()
# A training is started by routes of our own.
train.router.routes[:] = [route for route in train.router.routes if "POST" not in route.methods]
# These may wait for an archive, copy and unpack gigabytes, or work as long as a job does, and would stop the server meanwhile.
stock = (activelearning, datastore, scoring, session, train)
waiting = [off_the_event_loop(part.router) for part in stock]

from monailabel.app import app  # noqa: E402

__all__ = ["app"]

for part in (router, models, dicom_proxy, *waiting):
    app.include_router(part, prefix=settings.MONAI_LABEL_API_STR)

# Stock CORS echoes any origin together with credentials.
app.user_middleware = [entry for entry in app.user_middleware if entry.cls is not CORSMiddleware]
secure(app)
install_operation(app)

install_error_answers(app)
install_jobs(app)
install_batch(app)
install_trainings(app)
install_cases(app)
install_retention(app)
describe_api(app)
