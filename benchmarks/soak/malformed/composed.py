"""Requests composed of routes, names, values, bodies and files, mostly such as are let through, so that they get to where they may do harm."""

from __future__ import annotations

import gzip
import json
import re
import time

import nibabel as nib
import numpy as np
import requests
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from soak.malformed.target import Target

from umaddpm_core.serving.security.roles import ROUTES

LEFT_OUT = ("/reload", "/batch/infer/{model}")
"""Neither is harmed by what is malformed: one forgets the app, the other starts a job of a minute."""
TARGETS = sorted(
    (method, re.sub(r"{\w+:path}", "studies/1", path.replace("{model}", "anomaly").replace("{session_id}", "0f5c1a52")).replace("{strategy}", "x").replace("{method}", "x"))
    for path, methods in ROUTES.items() for method in methods if path not in LEFT_OUT
)  # fmt: skip
UPLOADS = [target for target in TARGETS if target[0] == "PUT" or target[1].startswith(("/infer", "/anomaly/jobs"))]
NAMES = ["image", "image", "image", "label", "tag", "tag", "id", "session_id", "output", "params", "images"]
COUNTS = ["expiry", "uncompress", "limit_cases", "lines", "run_sync", "update_ts", "check_sum", "enqueue", "html"]
NASTY = st.one_of(
    st.sampled_from(["", "..", "../x", "/etc/passwd", "a/b", "a\\b", "fuzz", "fuzz.nii.gz", "null", "true", "-1", "1e309", "9" * 400, "'", '"',
                     "${x}", "%00", "\x00", "\r\nX: y", "ä", "\U0001f9e0", "{}", "[]", "\ufeff"]),
    st.text(max_size=40),
)  # fmt: skip
SANE = st.sampled_from(["SCAN", "SCAN", "fuzz", "final", "json", "image", "all", "1", "true", "0"])
VALUE = st.one_of(SANE, SANE, SANE, NASTY)
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


def send_composed(target: Target, number: int) -> None:
    """Send about so many; AssertionError, with the smallest request that does it, where an answer is none that may be."""

    @seed(20240611)
    @settings(max_examples=number, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(place=st.one_of(st.sampled_from(TARGETS), st.sampled_from(UPLOADS), st.tuples(METHODS, NASTY)), query=QUERY, body=BODIES)
    def send(place, query, body):
        method, path = place
        # The scan itself is not deleted: that would be no malformed request.
        query = [(name, value.replace("SCAN", "fuzz" if method == "DELETE" else target.image)) for name, value in query]
        try:
            prepared = requests.Request(method, target.url + ("" if path.startswith("/") else "/") + path, params=query, **(body or {})).prepare()
        except (ValueError, requests.RequestException):
            return  # not even a request
        prepared.headers.update(target.headers)
        sent = time.monotonic()
        with requests.Session() as session:
            target.judge(session.send(prepared, timeout=60, allow_redirects=False), sent)

    send()
