"""From the server to a folder that can be preprocessed: verified, or refused."""

import base64
import hashlib

import pytest

from umaddpm_core.data.cohorts import guessed_layout, read_cohort
from umaddpm_core.data.download import Archive, Remote, check_space, inspect, obtain
from umaddpm_core.data.download.archive import noted_sums
from umaddpm_core.errors import InputError


@pytest.fixture
def ixi(server, archive, tmp_path):
    """The archive on the server, and its SHA-256."""
    server.content = archive
    return Archive("T1", tmp_path, server.url), hashlib.sha256(archive).hexdigest()


def test_an_archive_is_fetched_verified_and_unpacked(ixi, server, members, tmp_path):
    archive, sha256 = ixi
    server.breaks = [50_000]
    server.md5 = base64.b64encode(hashlib.md5(server.content).digest()).decode()
    told = []
    words = obtain(archive, inspect(archive.url), sha256.upper(), lambda share, what: told.append((share, what)))
    assert "SHA-256 as given and MD5 as the server says, 3 scans intact" in words
    assert {path.name: path.read_bytes() for path in archive.unpacked.iterdir()} == members
    assert sorted(path.name for path in tmp_path.iterdir()) == ["IXI-T1", "IXI-T1.tar", "SHA256SUMS"]
    assert (tmp_path / "SHA256SUMS").read_text() == f"{sha256}  IXI-T1.tar\n"
    assert all(0 <= share <= 1 for share, _ in told)
    assert guessed_layout(tmp_path) == "ixi" and len(read_cohort(tmp_path)) == 3


def test_a_second_run_fetches_nothing_and_verifies_again(ixi, server):
    archive, sha256 = ixi
    obtain(archive, inspect(archive.url), sha256)
    server.asked.clear()
    assert not archive.is_missing and "SHA-256 as before" in obtain(archive, None)
    assert server.asked == []
    with archive.path.open("r+b") as file:
        file.seek(60_000)
        file.write(b"bit rot")
    with pytest.raises(InputError, match="has changed since it was fetched"):
        obtain(archive, None)
    archive.path.unlink()
    assert not archive.is_missing and "is there already" in obtain(archive, None)


def test_without_a_given_sum_it_must_be_the_known_archive(ixi, server):
    archive, sha256 = ixi
    with pytest.raises(InputError, match=f"not the MD5 as known.*--sha256 T1={sha256}"):
        obtain(archive, inspect(archive.url))
    assert archive.is_missing and archive.part.exists() and noted_sums(archive.folder) == {}
    server.asked.clear()
    obtain(archive, inspect(archive.url), sha256)
    assert archive.unpacked.is_dir()


def test_a_wrong_sum_of_the_server_is_noticed(ixi, server):
    archive, sha256 = ixi
    server.md5 = base64.b64encode(bytes(16)).decode()
    with pytest.raises(InputError, match="not the MD5 as the server says"):
        obtain(archive, inspect(archive.url), sha256)


@pytest.mark.parametrize("kind", ["member", "end", "empty", "text"])
def test_a_damaged_archive_is_refused_by_name(server, make_archive, members, tmp_path, kind):
    name = list(members)[1]
    damaged = bytearray(members[name])
    damaged[len(damaged) // 2] ^= 0xFF
    whole = make_archive(members)
    server.content = {
        "member": make_archive({**members, name: bytes(damaged)}),
        "end": whole[: len(whole) // 2],
        "empty": make_archive({}),
        "text": b"<html>moved</html>" * 100,
    }[kind]
    archive = Archive("T1", tmp_path, server.url)
    with pytest.raises(InputError, match=f"damaged at {name}" if kind in ("member", "end") else "damaged|empty"):
        obtain(archive, inspect(archive.url), hashlib.sha256(server.content).hexdigest())
    assert archive.is_missing and not archive.path.exists()


def test_members_that_point_elsewhere_are_refused(server, make_archive, tmp_path):
    server.content = make_archive({"../../outside.txt": b"no"})
    archive = Archive("T1", tmp_path / "ixi", server.url)
    archive.folder.mkdir()
    with pytest.raises(InputError, match="cannot be unpacked"):
        obtain(archive, inspect(archive.url), hashlib.sha256(server.content).hexdigest())
    assert not archive.unpacked.exists() and not (tmp_path.parent / "outside.txt").exists()
    assert not list(archive.folder.glob(".*"))


def test_a_full_disk_is_known_before(tmp_path):
    archive = Archive("T1", tmp_path)
    with pytest.raises(InputError, match="GB free, and 2000000.0 GB are needed"):
        check_space(tmp_path, [(archive, Remote(archive.url, 10**15, None, None))])
    check_space(tmp_path, [(archive, Remote(archive.url, 1000, None, None))])
