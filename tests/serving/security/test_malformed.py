"""A hundred requests that no client of ours sends: each is answered, soon, and nothing is written outside the folders."""

import gzip
import json
import re
import time
from collections import Counter

import nibabel as nib
import numpy as np
import requests
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from umaddpm_core.serving.security.roles import ROUTES

# Neither of the two left out is harmed by what is malformed: one forgets the app, the other starts a job of a minute.
TARGETS = sorted(
    (method, re.sub(r"{\w+:path}", "studies/1", path.replace("{model}", "anomaly").replace("{session_id}", "0f5c1a52")).replace("{strategy}", "x").replace("{method}", "x"))
    for path, methods in ROUTES.items() for method in methods if path not in ("/reload", "/batch/infer/{model}")
)  # fmt: skip
UPLOADS = [target for target in TARGETS if target[0] == "PUT" or target[1].startswith("/infer")]
NAMES = ["image", "image", "image", "label", "tag", "tag", "id", "session_id", "output", "params", "images"]
COUNTS = ["expiry", "uncompress", "limit_cases", "lines", "run_sync", "update_ts", "check_sum", "enqueue", "html"]
NASTY = st.one_of(
    st.sampled_from(["", "..", "../x", "/etc/passwd", "a/b", "a\\b", "fuzz", "fuzz.nii.gz", "null", "true", "-1", "1e309", "9" * 400, "'", '"',
                     "${x}", "%00", "\x00", "\r\nX: y", "ä", "\U0001f9e0", "{}", "[]", "\ufeff"]),
    st.text(max_size=40),
)  # fmt: skip
SANE = st.sampled_from(["SCAN", "SCAN", "fuzz", "final", "json", "image", "all", "1", "true", "0"])
VALUE = st.one_of(SANE, SANE, SANE, NASTY)
"""Mostly what is let through, so that requests get to where they may do harm."""
QUERY = st.lists(
    st.tuples(st.sampled_from(NAMES), VALUE) | st.tuples(st.sampled_from(COUNTS), st.sampled_from(["1", "0", "true", "-3"]) | NASTY), max_size=3
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | VALUE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*NAMES, "model", "threshold"]) | NASTY, inner, max_size=4),
    max_leaves=10,
)
MASK = nib.Nifti1Image(np.zeros((4, 4, 4), np.uint8), np.eye(4)).to_bytes()
CONTENT = st.one_of(st.just(MASK), st.just(gzip.compress(MASK)), st.binary(max_size=400), st.binary(max_size=400).map(gzip.compress), st.just(b"PK\x03\x04" + bytes(40)),
                    st.just(b"NRRD0004\nsizes: 2 2 2\n\n"), st.just((348).to_bytes(4, "little") + bytes(600)))  # fmt: skip
VOLUMES = st.sampled_from(["a.nii.gz", "a.nii", "a.nrrd", "a.zip", "a.tar", "a.mha", "a.tgz", "C:\\a.nii"])
FILES = st.lists(
    st.tuples(st.sampled_from(["file", "files", "label", "params", "info", "x"]),
              st.tuples(st.one_of(VOLUMES, VOLUMES, NASTY), CONTENT)), max_size=3)  # fmt: skip
KINDS = st.sampled_from(["application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x",
                         "application/x-www-form-urlencoded", "application/octet-stream", "", "multipart/related; boundary=x", "é"])  # fmt: skip
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"])
BODIES = st.one_of(
    st.none(),
    st.fixed_dictionaries({"files": FILES}),
    st.fixed_dictionaries({"json": JSON.filter(lambda value: "nan" not in repr(value) and "inf" not in repr(value))}),
    st.fixed_dictionaries({"files": FILES}),
    st.fixed_dictionaries({"data": st.dictionaries(st.sampled_from(["params", "info", "x"]), JSON.map(json.dumps) | NASTY, max_size=3)}),
    st.fixed_dictionaries({"data": st.binary(max_size=300), "headers": st.fixed_dictionaries({"Content-Type": KINDS.map(lambda kind: kind.encode())})}),
)


def everything_below(folder, but):
    return {file for file in folder.rglob("*") if not any(part in file.relative_to(folder).parts[:1] for part in but)}


def test_malformed_requests_are_answered_and_harm_nothing(guarded):
    ours = ("studies", "work", "audit", "tmp", "app")
    before = everything_below(guarded.home, ours)
    scratch = sorted(str(file) for file in (guarded.home / "tmp").rglob("*") if file.suffix != ".json")
    scan = (guarded.studies / f"{guarded.image}.nii.gz").read_bytes()

    guarded.ask("POST", f"/infer/anomaly?image={guarded.image}&output=json")  # which answers the next ones from memory
    statuses = Counter()

    @seed(20240611)
    @settings(max_examples=120, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(target=st.one_of(st.sampled_from(TARGETS), st.sampled_from(UPLOADS), st.tuples(METHODS, NASTY)), query=QUERY, body=BODIES)
    def send(target, query, body):
        method, path = target
        started = time.monotonic()
        # The scan itself is not deleted: that would be no malformed request.
        query = [(name, value.replace("SCAN", "fuzz" if method == "DELETE" else guarded.image)) for name, value in query]
        try:
            prepared = requests.Request(method, guarded.url + ("" if path.startswith("/") else "/") + path, params=query, **(body or {})).prepare()
        except (ValueError, requests.RequestException):
            return  # not even a request
        prepared.headers["Authorization"] = f"Bearer {guarded.tokens['admin']}"
        with requests.Session() as session:
            answer = session.send(prepared, timeout=60, allow_redirects=False)
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, answer.text
        assert time.monotonic() - started < 20
        if answer.status_code >= 400 and method != "HEAD" and answer.headers.get("content-type", "").startswith("application/json"):
            assert isinstance(answer.json()["detail"], str)
        assert str(guarded.home) not in answer.text or path.startswith("/logs")

    send()
    assert statuses.total() >= 100 and {200, 404, 422} <= statuses.keys(), statuses
    assert everything_below(guarded.home, ours) == before
    time.sleep(0.5)
    assert sorted(str(file) for file in (guarded.home / "tmp").rglob("*") if file.suffix != ".json") == scratch
    assert (guarded.studies / f"{guarded.image}.nii.gz").read_bytes() == scan
    assert all(file.resolve().is_relative_to(guarded.studies) for file in guarded.studies.rglob("*") if file.name != "leak.nii.gz")
    assert guarded.ask("GET", "/info/", role="read").status_code == 200
