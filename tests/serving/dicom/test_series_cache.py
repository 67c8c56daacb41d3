"""The bounded folder of series."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from umaddpm_core.errors import InputError
from umaddpm_core.serving.dicom.series_cache import SeriesCache


def of_size(size):
    def fetch(folder):
        (folder / "file").write_bytes(b"x" * size)

    return fetch


def broken(folder):
    (folder / "file").write_bytes(b"x")
    raise InputError("The archive broke off.")


def unexpected(folder):
    raise AssertionError("fetched again")


def kept(cache):
    return {path.name for path in cache.folder.iterdir()}


def test_what_was_used_longest_ago_goes_first(tmp_path):
    cache = SeriesCache(tmp_path / "cache", limit=100)
    cache.path("1", of_size(40))
    cache.path("2", of_size(40))
    cache.path("1", unexpected)
    cache.path("3", of_size(40))
    assert kept(cache) == {"1", "3"}


def test_a_series_larger_than_the_limit_can_be_read(tmp_path):
    cache = SeriesCache(tmp_path / "cache", limit=100)
    cache.path("1", of_size(40))
    assert cache.path("2", of_size(400)).is_dir() and kept(cache) == {"2"}
    cache.path("3", of_size(40))
    assert kept(cache) == {"3"}


def test_a_fetch_that_breaks_off_leaves_nothing(tmp_path):
    cache = SeriesCache(tmp_path / "cache", limit=100)
    with pytest.raises(InputError, match="broke off"), cache.held("1", broken):
        pass
    assert kept(cache) == set()
    assert cache.path("1", of_size(4)).is_dir()


def test_a_restart_keeps_series_and_their_order_and_removes_what_was_broken_off(tmp_path):
    cache = SeriesCache(tmp_path / "cache", limit=100)
    for name in ("1", "2"):
        cache.path(name, of_size(40))
    os.utime(cache.folder / "2", (time.time() - 1000,) * 2)
    (cache.folder / ".part-1" / "3").mkdir(parents=True)
    again = SeriesCache(tmp_path / "cache", limit=100)
    assert kept(again) == {"1", "2"}
    again.path("1", unexpected)
    again.path("3", of_size(40))
    assert kept(again) == {"1", "3"}


def test_nobody_else_may_look_in(tmp_path):
    assert SeriesCache(tmp_path / "cache", limit=1).folder.stat().st_mode & 0o077 == 0


JOB = """
import sys
from pathlib import Path
from umaddpm_core.serving.dicom.series_cache import SeriesCache
cache = SeriesCache(Path(sys.argv[1]), limit=100)
def fetch(folder):
    (folder / "file").write_bytes(b"x" * 40)
    if sys.argv[2] == "fetching":
        print("ready", flush=True)
        sys.stdin.readline()
with cache.held(sys.argv[3], fetch):
    print("ready", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def job(folder, what, uid):
    """Another process that fetches or holds a series; what it is told lets it go on."""
    command = [sys.executable, "-c", JOB, str(folder), what, uid]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def goes_on(process):
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_fetch_of_another_process_goes_on_whoever_opens_the_cache(tmp_path):
    cache = SeriesCache(tmp_path / "cache", limit=100)
    with job(cache.folder, "fetching", "1") as fetching:
        SeriesCache(tmp_path / "cache", limit=100)
        goes_on(fetching)
        assert fetching.stdout.readline() == "ready\n"
        assert kept(cache) == {"1"} and (cache.folder / "1" / "file").is_file()
    cache.path("1", unexpected)


def test_what_a_killed_process_was_fetching_goes(tmp_path):
    cache = SeriesCache(tmp_path / "cache", limit=100)
    with job(cache.folder, "fetching", "1") as fetching:
        fetching.kill()
        fetching.wait()
    assert len(kept(cache)) == 1
    assert kept(SeriesCache(tmp_path / "cache", limit=100)) == set()


def test_what_another_process_holds_stays_as_long_as_it_lives(tmp_path):
    cache = SeriesCache(tmp_path / "cache", limit=100)
    with job(cache.folder, "holding", "1") as holding:
        for uid in ("2", "3", "4"):
            cache.path(uid, of_size(40))
        cache.expire(0)
        assert "1" in kept(cache)
        holding.kill()
        holding.wait()
        cache.path("5", of_size(90))
    assert kept(cache) == {"5"}


def test_the_name_of_a_series_that_was_deleted_stands_nowhere(tmp_path):
    cache = SeriesCache(tmp_path / "cache", limit=100)
    with job(cache.folder, "holding", "1.2.3") as holding:
        holding.kill()
        holding.wait()
    assert [file for file in tmp_path.rglob("*") if "1.2.3@" in file.name]
    assert cache.remove("1.2.3") and not cache.remove("1.2.3")
    assert not [file for file in tmp_path.rglob("*") if "1.2.3" in file.name]


def test_what_another_process_fetched_counts_and_is_evicted_too(tmp_path):
    cache = SeriesCache(tmp_path / "cache", limit=100)
    with job(cache.folder, "holding", "1") as holding:
        goes_on(holding)
        holding.wait()
    assert cache.kept() == ["1"]
    cache.path("2", of_size(40))
    cache.path("3", of_size(40))
    assert kept(cache) == {"2", "3"}
