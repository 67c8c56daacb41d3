"""What the compose file says fits together, and fits the image."""

import re
from pathlib import Path

import pytest

from umaddpm_core.preprocessing.memory import PROGRAM_BYTES, RESERVE_BYTES, needed_bytes
from umaddpm_core.serving import launch
from umaddpm_core.serving.checkout import app_folder
from umaddpm_core.serving.jobs import install
from umaddpm_core.sizes import size_setting

FOLDER = app_folder() / "docker"


@pytest.fixture
def server(compose):
    return compose["services"]["server"]


@pytest.fixture
def orthanc(compose):
    return compose["services"]["orthanc"]


def size(text):
    return size_setting({"size": text}, "size")


def test_every_volume_and_secret_is_declared_and_used(compose):
    services = compose["services"].values()
    mounted = [mount.split(":")[0] for service in services for mount in service.get("volumes", [])]
    assert set(mounted) == set(compose["volumes"]) and len(mounted) == len(set(mounted))
    assert {secret for service in services for secret in service.get("secrets", [])} == set(compose["secrets"])


def test_what_the_image_writes_to_is_mounted_and_the_rest_is_read_only(server, image):
    mounts = {mount.split(":")[1] for mount in server["volumes"]}
    assert mounts == set(image.words("VOLUME")) and server["read_only"] is True
    (temporary,) = server["tmpfs"]
    assert temporary.startswith("/tmp:") and image.environment()["MPLCONFIGDIR"].startswith("/tmp/")
    assert size(re.search(r"size=(\w+)", temporary)[1]) >= 2 * size(server["environment"]["UMADDPM_LARGEST_REQUEST"])


def test_tokens_are_the_secret_that_the_image_looks_for(compose, server, image):
    (secret,) = server["secrets"]
    assert image.environment()["UMADDPM_TOKENS"] == f"/run/secrets/{secret}"
    assert compose["secrets"][secret] == {"file": "./tokens"}


def test_nothing_is_published_beyond_this_computer_unless_somebody_says_so(server, orthanc):
    assert [port.rsplit(":", 2)[0] for port in orthanc["ports"]] == ["127.0.0.1", "127.0.0.1"]
    assert server["ports"] == ["${UMADDPM_PUBLISH:-127.0.0.1}:8000:8000"]


def test_server_waits_for_an_archive_with_credentials_that_both_know(server, orthanc):
    assert server["depends_on"] == {"orthanc": {"condition": "service_healthy"}} and orthanc["healthcheck"]["test"]
    assert re.fullmatch(r"orthancteam/orthanc:\d+\.\d+\.\d+", orthanc["image"])
    assert orthanc["environment"]["DICOM_WEB_PLUGIN_ENABLED"] == orthanc["environment"]["ORTHANC__AUTHENTICATION_ENABLED"] == "true"
    name, password = (server["environment"][f"MONAI_LABEL_DICOMWEB_{part}"] for part in ("USERNAME", "PASSWORD"))
    assert orthanc["environment"]["ORTHANC__REGISTERED_USERS"] == f'{{"{name}": "{password}"}}'
    assert password.startswith("${ORTHANC_PASSWORD:?") and "orthanc:8042/dicom-web" in server["command"][1]


def test_services_come_back_are_limited_and_have_no_privileges(server, orthanc):
    for service in (server, orthanc):
        assert service["restart"] == "unless-stopped" and service["security_opt"] == ["no-new-privileges:true"]
    assert server["cap_drop"] == ["ALL"] and "privileged" not in server and "user" not in server
    limit = size(re.search(r":-(\w+)", server["mem_limit"])[1])
    assert limit > needed_bytes(90_000_000) + RESERVE_BYTES, "a head at 0.5 mm"
    assert limit > needed_bytes(60_000_000) + PROGRAM_BYTES + RESERVE_BYTES


def test_there_is_time_to_stop_in_order(server):
    assert int(server["stop_grace_period"].removesuffix("s")) > launch.SECONDS_TO_STOP > install.SECONDS_TO_STOP


def test_the_build_finds_its_context(server, context):
    build = server["build"]
    assert (FOLDER / build["context"]).resolve() == context
    assert (context / build["dockerfile"]) == FOLDER / "Dockerfile"


def test_every_variable_is_explained(context):
    used = set(re.findall(r"\$\{(\w+)", (FOLDER / "compose.yaml").read_text()))
    explained = set(re.findall(r"^#?(\w+)=", (FOLDER / "example.env").read_text(), re.MULTILINE))
    assert used == explained
    ignored = (context / ".gitignore").read_text().splitlines()
    assert all(f"{Path('apps/anomaly/docker') / name}" in ignored for name in (".env", "tokens"))
