"""Sessions: their limits, also over a restart, and what is among them that is none."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from monailabel.utils.sessions import Sessions

from umaddpm_core.serving.retention.sessions import DurableSessions

STRAY = "0f5c1a52-0000-11ef-8000-000000000000"


@pytest.fixture
def opened(tmp_path):
    """Opens the folder as a server does that starts."""
    return lambda seconds=3600, megabytes=100: DurableSessions(str(tmp_path / "sessions"), seconds=seconds, megabytes=megabytes)


@pytest.fixture
def added(tmp_path):
    """Adds a scan, used last so many seconds ago; returns the session's id."""

    def add(sessions, ago=0, size=1000):
        scan = tmp_path / "scan.nii.gz"
        scan.write_bytes(b" " * size)
        session, info = sessions.add_session(str(scan))
        info.last_access_ts -= ago
        sessions._write_meta_info(session, info)
        return session

    return add


def test_what_has_expired_is_deleted_also_by_the_next_server(opened, added, tmp_path):
    old, new = added(opened(), ago=4000), added(opened())
    stock = Sessions(str(tmp_path / "sessions"))
    assert not stock, "the stock application takes this for no sessions at all, and looks for none that have expired"
    assert opened() and opened().remove_expired() == 1
    assert [path.name for path in (tmp_path / "sessions").iterdir()] == [new] and opened().get_session(old) is None


def test_what_has_expired_is_not_handed_out_before_it_is_deleted(opened, added, tmp_path):
    sessions = opened()
    old = added(sessions, ago=4000)
    assert Sessions(str(tmp_path / "sessions")).get_session(old, update_ts=False) is not None, "the stock one hands it out"
    assert sessions.get_session(old) is None and not (tmp_path / "sessions" / old).exists()


def test_a_limit_that_was_lowered_holds_for_earlier_sessions(opened, added):
    session = added(opened(), ago=100)
    assert opened(seconds=1000).get_session(session, update_ts=False) is not None
    assert opened(seconds=60).get_session(session) is None


def test_those_used_longest_ago_make_room(opened, added, tmp_path):
    sessions = opened(megabytes=0.0025)
    kept = [added(sessions, ago=ago) for ago in (30, 20, 10)]
    sessions.remove_expired()
    assert {path.name for path in (tmp_path / "sessions").iterdir()} == {kept[2]}
    opened(megabytes=0.0001).remove_expired()
    assert (tmp_path / "sessions" / kept[2]).exists(), "the last one stays"


@pytest.mark.parametrize("meta", [None, "", "{", "[]", "null", '{"expiry": "x", "image": 3}', '{"image": null}'])
def test_a_folder_that_is_no_session_stops_nothing(opened, added, tmp_path, caplog, meta):
    good = added(opened())
    stray = tmp_path / "sessions" / STRAY
    stray.mkdir()
    if meta is not None:
        (stray / "meta.info").write_text(meta)
    with pytest.raises(Exception):
        Sessions(str(tmp_path / "sessions")).remove_expired()
    sessions = opened()
    for _ in range(3):
        sessions.remove_expired()
    assert sessions.get_session(good) is not None and sessions.get_session(STRAY) is None
    told = [record for record in caplog.records if record.levelname == "WARNING" and STRAY in record.getMessage()]
    # One whose scan is missing is deleted by stock MONAI Label itself.
    assert len(told) == stray.exists()
    if stray.exists():
        os.utime(stray, (time.time() - 4000,) * 2)
        sessions.remove_expired()
    assert not stray.exists()


def test_a_folder_that_is_not_ours_is_left(opened, tmp_path, caplog):
    folder = tmp_path / "sessions" / "my notes"
    folder.mkdir(parents=True)
    os.utime(folder, (0, 0))
    sessions = opened()
    sessions.remove_expired()
    sessions.remove_expired()
    assert folder.exists() and sum("my notes" in record.getMessage() for record in caplog.records) == 1


def test_a_session_that_is_used_stays_and_is_written_at_once_or_not_at_all(opened, added, tmp_path):
    sessions = opened()
    session = added(sessions, ago=3000)
    assert sessions.get_session(session) is not None
    kept = json.loads((tmp_path / "sessions" / session / "meta.info").read_text())
    assert time.time() - kept["last_access_ts"] < 60
    assert sorted(path.name for path in (tmp_path / "sessions" / session).iterdir()) == ["meta.info", "scan.nii.gz"]


def test_many_may_use_a_session_while_it_is_deleted(opened, added):
    sessions = opened()
    for _ in range(20):
        session = added(sessions)
        with ThreadPoolExecutor(8) as pool:
            using = [pool.submit(sessions.get_session, session) for _ in range(40)]
            deleting = [pool.submit(sessions.remove_session, session) for _ in range(2)]
            looking = pool.submit(sessions.remove_expired)
            assert {found.result().name for found in using if found.result()} <= {session}
            assert [one.result() for one in deleting] == [None, None] and looking.result() in (0, 1)
        assert sessions.get_session(session) is None


def test_a_session_that_cannot_be_kept_leaves_nothing(opened, tmp_path):
    with pytest.raises(FileNotFoundError):
        opened().add_session(str(tmp_path / "nowhere"))
    assert list((tmp_path / "sessions").iterdir()) == []
