"""Work that nobody waits for any more stops, whichever way it lost its client, and the job behind it is done."""

import pytest
from soak.gone_clients import cancel, hang_up, leave
from soak.job_client import JobClient


@pytest.mark.parametrize("start", [hang_up, cancel])
def test_work_of_a_client_that_left_is_given_up(server, sample, unseen, unseen_scan, start):
    def given_up() -> int:
        cancelled = [job for job in JobClient(server.url).get().json()["jobs"] if job["state"] == "cancelled"]
        return len(cancelled) if start is cancel else server.log.read_text().count("499 /infer/anomaly")

    before = given_up()
    assert leave(server.url, start, unseen(sample), unseen_scan(), after_s=0.5), "the work had ended before its client left"
    assert given_up() == before + 1
