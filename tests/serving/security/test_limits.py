"""What is too large, or would become so."""

import gzip
import io
import json
import socket
import struct
import tarfile
import time
import zipfile
import zlib

import nibabel as nib
import numpy as np
import pytest
import requests
from attacks import assert_refused

from umaddpm_core.serving.security.expansion import require_bounded
from umaddpm_core.serving.security.refusal import Refused


def infer(server, name: str, content: bytes) -> requests.Response:
    return requests.post(f"{server.url}/infer/anomaly", files={"file": (name, content)}, timeout=120)


def nifti(size=(8, 8, 8), offset=None, version=1) -> bytes:
    """A file with this grid in its header and hardly any voxels behind it."""
    header = (nib.Nifti1Header if version == 1 else nib.Nifti2Header)()
    header.set_data_dtype(np.uint8)
    header["dim"][: len(size) + 1] = [len(size), *size]
    header["magic"] = b"n+1" if version == 1 else b"n+2\0\r\n\x1a\n"
    header["vox_offset"] = header.sizeof_hdr + 4 if offset is None else offset
    return header.binaryblock + bytes(600)


def gzip_of_zeros(megabytes: int) -> bytes:
    """Several compressed streams one after the other, as gzip allows."""
    return gzip.compress(bytes(64 << 20), 9) * (megabytes // 64)


HEADER_BOMBS = {
    "wide.nii": nifti((30_000, 30_000, 100)),
    "wide.nii.gz": gzip.compress(nifti((100_000, 100_000, 2), version=2)),
    "long.nii.gz": gzip.compress(nifti((32_767,) * 7)),
    "negative.nii": nifti((-5, 8, 8)),
    "late.nii.gz": gzip.compress(nifti(offset=1e30)),
    "wide.nrrd": b"NRRD0004\ntype: double\ndimension: 3\nsizes: 100000 100000 100000\nencoding: raw\n\n" + bytes(64),
    "digits.nrrd": b"NRRD0004\ntype: double\ndimension: 3\nsizes: " + b"9" * 4000 + b" 2 2\nencoding: raw\n\n",
    "wide.mha": b"ObjectType = Image\nNDims = 3\nDimSize = 100000 100000 9\nElementType = MET_DOUBLE\nElementDataFile = LOCAL\n" + bytes(64),
}


@pytest.mark.parametrize("name", HEADER_BOMBS)
def test_a_header_that_claims_more_than_any_scan_is_refused_at_once(server, guarded, name):
    started = time.monotonic()
    assert_refused(infer(server, name, HEADER_BOMBS[name]), 422, name)
    for path, field in ((f"/datastore/label?image={guarded.image}", "label"), ("/datastore/image?image=bomb", "file"), ("/session/", "files")):
        assert_refused(guarded.ask("PUT", path, files={field: (name, HEADER_BOMBS[name])}), 422, name)
    assert time.monotonic() - started < 10


def test_a_header_bomb_in_a_zip_is_refused(server):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("wide.nii", HEADER_BOMBS["wide.nii"])
    assert_refused(infer(server, "scan.zip", stream.getvalue()), 422, "million voxels")


def test_a_scan_that_unpacks_to_far_more_than_a_scan_is_refused(server):
    bomb = gzip.compress(nifti()) + gzip_of_zeros(1280)
    assert len(bomb) < 2 << 20
    assert_refused(infer(server, "bomb.nii.gz", bomb), 413, "200 times")


def test_archives_that_unpack_to_far_more_are_refused_before_they_are_unpacked(guarded):
    member = tarfile.TarInfo("zeros")
    member.size = 1280 << 20
    bomb = gzip.compress(member.tobuf()) + gzip_of_zeros(1280)
    before = {file for file in guarded.home.rglob("*") if "audit" not in str(file)}
    for name in ("bomb.tar.gz", "bomb.tgz"):
        assert_refused(guarded.ask("PUT", "/session/?uncompress=true", files={"files": (name, bomb)}), 413, "200 times")
    assert {file for file in guarded.home.rglob("*") if "audit" not in str(file)} == before


def zip_that_declares(size: int) -> bytes:
    """A zip of one small member whose table of contents says that it is `size` bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("scan.nii", bytes(1000))
    content = bytearray(stream.getvalue())
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = struct.pack("<I", size)
    return bytes(content)


def test_a_zip_is_judged_by_what_it_declares(server, guarded):
    assert_refused(infer(server, "bomb.zip", zip_that_declares(3 << 30)), 413, "200 times")
    assert_refused(guarded.ask("PUT", "/session/", files={"files": ("bomb.zip", zip_that_declares(3 << 30))}), 413)
    # One that declares less than it holds does not unpack to more than it declares.
    assert_refused(infer(server, "liar.zip", zip_that_declares(10)), 422)


def test_an_archive_of_very_many_files_is_refused(guarded):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for number in range(20_001):
            archive.addfile(tarfile.TarInfo(str(number)))
    assert_refused(guarded.ask("PUT", "/session/?uncompress=1", files={"files": ("a.tar.gz", stream.getvalue())}), 413, "20000 files")


def test_a_sparse_file_that_claims_a_huge_size_is_refused():
    member = tarfile.TarInfo("sparse")
    member.size = 1 << 40
    with pytest.raises(Refused, match="GiB"):
        require_bounded(io.BytesIO(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024)), 1536, "a.tar")


@pytest.mark.parametrize("compress", [gzip.compress, lambda data: gzip.compress(data[:99]) + gzip.compress(data[99:]) + bytes(512), zlib.compress])
def test_honest_files_pass(compress):
    empty_mask = compress(nifti() + bytes(64 << 20))
    require_bounded(io.BytesIO(empty_mask), len(empty_mask), "mask.nii.gz")


def test_a_body_that_is_too_large_is_refused_by_what_it_declares_and_by_what_it_is(guarded):
    def pieces():
        yield b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n"
        for _ in range(12):
            yield bytes(1 << 20)

    form = {"Content-Type": "multipart/form-data; boundary=b"}
    declared = guarded.ask("POST", "/infer/anomaly", files={"file": ("a.bin", bytes(9 << 20))})
    assert_refused(declared, 413, "8 MiB")
    assert_refused(guarded.ask("POST", "/infer/anomaly", data=pieces(), headers=form), 413, "8 MiB")


def test_parts_and_fields_are_limited(guarded):
    many = [("params", (None, "{}"))] * 60
    assert_refused(guarded.ask("POST", "/infer/anomaly", files=many), 413, "50")
    large = json.dumps({"note": "x" * (1 << 20)})
    assert_refused(guarded.ask("POST", "/infer/anomaly", files={"params": (None, large)}), 413, "1024KB")
    assert_refused(guarded.ask("POST", "/infer/anomaly", data={"params": large}), 413, "1 MiB")
    assert_refused(guarded.ask("POST", "/activelearning/random", json={"note": "x" * (1 << 20)}), 413, "1 MiB")
    files = [("files", (f"{number}.dcm", b"")) for number in range(1001)]
    assert_refused(guarded.ask("PUT", "/session/", files=files), 413, "1000")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, '{"a":' * 60 + "1" + "}" * 60, '{"a": NaN}', '{"a": 1e999}', '"\\ud800"',
                                  '{"threshold": "\\ud800"}', '{"\\udfff": 1}', "9" * 5000, '{"a": "\\u0000"}', "\ufeff{}", "[1]", "{'a': 1}"])  # fmt: skip
@pytest.mark.parametrize("place", ["form", "urlencoded", "datastore", "body"])
def test_json_that_no_program_of_ours_writes_is_refused(guarded, text, place, mask_bytes):
    text = text.encode("utf-8", "surrogatepass")
    if place == "form":
        answer = guarded.ask("POST", "/infer/anomaly", params={"image": guarded.image}, files={"params": (None, text)})
    elif place == "urlencoded":
        answer = guarded.ask("POST", "/infer/anomaly", params={"image": guarded.image}, data={"params": text})
    elif place == "datastore":
        answer = guarded.ask("PUT", "/datastore/image/info", params={"image": guarded.image}, files={"info": (None, text)})
        if text == b'{"a": "\\u0000"}':
            return
    else:
        answer = guarded.ask("POST", "/scoring/", data=text, headers={"Content-Type": "application/json"})
    assert_refused(answer, 422)


@pytest.mark.parametrize("query", ["lines=" + "9" * 40, "refresh=1e9", "limit_cases=" + "9" * 5000, "expiry=x", "check_sum=FOO:1", "check_sum=SHA256:"])
def test_numbers_and_sums_of_the_query_are_plain(guarded, query):
    path = f"/datastore/image?image={guarded.image}&{query}"
    assert_refused(guarded.ask("GET", path), 422)


def test_a_client_that_hangs_up_in_the_middle_holds_nothing_up(server):
    host, port = server.url.removeprefix("http://").split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(f"POST /infer/anomaly HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                               "Content-Length: 1000000\r\n\r\n--b\r\n".encode())  # fmt: skip
    assert requests.get(f"{server.url}/info/", timeout=10).status_code == 200


@pytest.mark.parametrize("form", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 300])
def test_a_form_without_a_boundary_is_refused(server, form):
    answer = requests.post(f"{server.url}/infer/anomaly", data=b"x", headers={"Content-Type": form}, timeout=30)
    assert_refused(answer, 400, "boundary")
