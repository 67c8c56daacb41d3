"""The bounded folder of series."""

import os
import time

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
