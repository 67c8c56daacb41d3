"""Every route has a least role, and the server keeps to it."""

import json
import os
import subprocess
import sys

import pytest
from attacks import assert_refused

from umaddpm_core.serving.checkout import app_folder, repository_root
from umaddpm_core.serving.security.roles import OPEN, ROUTES, Role, least_role

LIST_ROUTES = """
import json, sys
from fastapi.routing import iter_route_contexts
from umaddpm_core.serving.asgi import app
found = [(route.path, sorted(route.methods or ["GET", "HEAD"])) for route in iter_route_contexts(app.routes)]
print("ROUTES" + json.dumps(found))
"""


@pytest.mark.parametrize("own_sign_in", ["without MONAI Label's sign-in", "with it"])
def test_every_route_of_the_application_has_a_role(tmp_path, own_sign_in):
    # In a process of its own, as importing MONAI Label's application settles its settings.
    program = LIST_ROUTES
    if own_sign_in == "with it":
        program = program.replace("import json, sys\n", "import json, sys\nfrom monailabel.config import settings\nsettings.MONAI_LABEL_AUTH_ENABLE = True\n")
    environment = {**os.environ, "PYTHONPATH": str(repository_root()), "MONAI_LABEL_APP_DIR": str(app_folder()),
                   "MONAI_LABEL_STUDIES": str(tmp_path), "HOME": str(tmp_path)}  # fmt: skip
    listed = subprocess.run([sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert listed.returncode == 0, listed.stderr
    routes = json.loads(listed.stdout.split("ROUTES")[-1])
    assert len(routes) > 30
    for path, methods in routes:
        path = "/static/{path:path}" if path == "/static" else path
        for method in methods:
            assert method in ROUTES.get(path, {}), f"{method} {path} has no entry in the table of roles"


def test_what_no_entry_names_is_for_administrators():
    assert least_role("GET", "/nowhere") == (Role.admin, "?")
    assert least_role("PATCH", "/info/")[0] is Role.admin
    assert least_role("GET", "/info/../reload")[0] is Role.admin
    assert least_role("GET", "/health")[0] is OPEN
    assert least_role("DELETE", "/anomaly/jobs/17")[0] is Role.infer
    # Several routes fit; the most demanding counts.
    assert least_role("GET", "/proxy/dicom/stow/studies")[0] is Role.admin


def test_a_path_that_is_redirected_needs_the_role_of_its_target():
    assert least_role("GET", "/info")[0] is Role.read
    assert least_role("POST", "/reload/")[0] is Role.admin


ALLOWED = [
    ("read", "GET", "/info/"), ("read", "GET", "/datastore/"), ("read", "GET", "/datastore/image?image=IMAGE"),
    ("read", "GET", "/datastore/image/info?image=IMAGE"), ("read", "GET", "/train/"), ("read", "GET", "/openapi.json"),
    ("infer", "POST", "/infer/anomaly?image=IMAGE&output=json"), ("infer", "DELETE", "/session/0f5c1a52"),
    ("infer", "GET", "/session/0f5c1a52"), ("train", "POST", "/scoring/"), ("train", "PUT", "/datastore/image/info?image=IMAGE"),
    ("train", "GET", "/datastore/dataset"), ("admin", "GET", "/logs/?lines=3"), ("admin", "DELETE", "/datastore/image?id=nobody"),
    ("read", "GET", "/anomaly/models"), ("train", "POST", "/anomaly/models/uma_ddpm/publish"),
    ("admin", "GET", "/model/anomaly"), ("admin", "DELETE", "/model/anomaly"), ("admin", "PUT", "/model/anomaly"),
]  # fmt: skip


@pytest.mark.parametrize(("role", "method", "path"), ALLOWED)
def test_a_route_answers_its_role_and_none_below(guarded, role, method, path):
    path = path.replace("IMAGE", guarded.image)
    least = Role[role]
    for shown in Role:
        response = guarded.ask(method, path, role=shown.name)
        if shown < least:
            assert_refused(response, 403, f"role {role}")
        elif path != "/model/anomaly":
            assert response.status_code in (200, 404), response.text
    assert_refused(guarded.ask(method, path, role=None), 401)


def test_reload_needs_an_administrator(guarded):
    assert_refused(guarded.ask("POST", "/reload", role="train"), 403, "admin")


def test_weights_are_not_taken_even_from_administrators(guarded):
    files = {"file": ("model.pt", b"\x80\x04.")}
    assert_refused(guarded.ask("PUT", "/model/anomaly", files=files), 403, "UMADDPM_ALLOW_MODEL_UPLOAD")


def test_a_head_request_gets_no_further_than_a_get(guarded):
    assert guarded.ask("HEAD", f"/datastore/image?image={guarded.image}", role="read").status_code == 200
    assert guarded.ask("HEAD", f"/datastore/image?image={guarded.image}", role=None).status_code == 401
