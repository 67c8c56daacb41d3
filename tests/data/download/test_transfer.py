"""One file over HTTP from a server that breaks off."""

import pytest

from umaddpm_core.data.download.transfer import ATTEMPTS, fetch, forget, inspect
from umaddpm_core.errors import InputError

CONTENT = bytes(range(256)) * 4000
OTHER = CONTENT[::-1] + b"more"


def get(server, part, **options):
    """Fetches the file; returns how long each pause would have been."""
    pauses = []
    fetch(inspect(f"{server.url}/file"), part, pause=pauses.append, **options)
    return pauses


def test_a_broken_connection_is_taken_up_where_it_broke(server, tmp_path):
    server.content, server.breaks = CONTENT, [300_000, 500_000]
    told = []
    pauses = get(server, tmp_path / "part", progress=lambda have, of: told.append((have, of)))
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-", "bytes=800000-"]
    assert len(pauses) == 2 and told[-1] == (len(CONTENT), len(CONTENT))
    forget(tmp_path / "part")
    assert [path.name for path in tmp_path.iterdir()] == ["part"]


def test_another_run_goes_on_and_a_complete_file_is_not_fetched_again(server, tmp_path):
    server.content, server.breaks = CONTENT, [300_000] + [0] * ATTEMPTS
    with pytest.raises(InputError, match="broke off 8 times .*run the same command again"):
        get(server, tmp_path / "part")
    assert (tmp_path / "part").stat().st_size == 300_000
    server.asked.clear()
    get(server, tmp_path / "part")
    assert server.asked == ["bytes=300000-"] and (tmp_path / "part").read_bytes() == CONTENT
    get(server, tmp_path / "part")
    assert server.asked == ["bytes=300000-"], "what is there whole is not asked for again"


def test_pauses_grow_while_nothing_comes(server, tmp_path):
    server.content, server.breaks = CONTENT, [0] * (ATTEMPTS - 1)
    pauses = get(server, tmp_path / "part")
    assert pauses == sorted(pauses) and pauses[0] < pauses[-1] == 60


@pytest.mark.parametrize("fault", [{"ranges": False}, {"version": None}])
def test_a_server_that_cannot_send_parts_starts_over_cleanly(server, tmp_path, fault):
    server.content, server.breaks = CONTENT, [300_000]
    for name, value in fault.items():
        setattr(server, name, value)
    get(server, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT


@pytest.mark.parametrize("strict", [True, False])
def test_a_file_that_changes_in_between_is_never_a_mixture(server, tmp_path, strict):
    server.content, server.breaks, server.strict = CONTENT, [300_000], strict

    def change(seconds):
        server.change(OTHER, '"2"')

    fetch(inspect(f"{server.url}/file"), tmp_path / "part", pause=change)
    assert (tmp_path / "part").read_bytes() == OTHER


def test_a_part_of_an_older_version_is_thrown_away(server, tmp_path):
    server.content, server.breaks = CONTENT, [300_000] + [0] * ATTEMPTS
    with pytest.raises(InputError):
        get(server, tmp_path / "part")
    server.change(OTHER, '"2"')
    get(server, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == OTHER


def test_passing_trouble_of_the_server_is_waited_out(server, tmp_path):
    server.content = CONTENT
    remote = inspect(f"{server.url}/file")
    server.states = [503, 502]
    pauses = []
    fetch(remote, tmp_path / "part", pause=pauses.append)
    assert (tmp_path / "part").read_bytes() == CONTENT and len(pauses) == 2


def test_what_the_user_has_to_know_is_one_sentence(server, tmp_path):
    server.content, server.announced = CONTENT, len(CONTENT) + 7
    with pytest.raises(InputError, match="announced with 1024007 bytes and comes with 1024000"):
        get(server, tmp_path / "part")
    server.states = [404]
    with pytest.raises(InputError, match="the server answers 404"):
        inspect(f"{server.url}/file")
    with pytest.raises(InputError, match="no http or https address"):
        inspect("file:///etc/passwd")
    with pytest.raises(InputError, match="cannot be reached"):
        inspect("http://127.0.0.1:9/file")
    server.announced = None
    remote = inspect(f"{server.url}/file")
    with pytest.raises(InputError, match="cannot be written"):
        fetch(remote, tmp_path / "no" / "folder" / "part", pause=lambda seconds: None)
