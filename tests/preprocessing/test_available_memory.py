"""The memory that is left is the smallest of what the machine and its control groups leave."""

import psutil
import pytest

from umaddpm_core.preprocessing.available_memory import MemoryState

GIB = 1 << 30


def group(folder, limit, used, cached, names=("memory.max", "memory.current", "inactive_file")):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 17\n{names[2]} {cached}\n")


@pytest.fixture
def process(tmp_path):
    return tmp_path / "cgroup"


def test_a_container_of_version_2_limits_it(tmp_path, process):
    process.write_text("0::/\n")
    group(tmp_path / "fs", GIB // 2, GIB // 4, GIB // 8)
    assert MemoryState.now(process, tmp_path / "fs") == MemoryState(GIB // 2, GIB // 4 + GIB // 8)


def test_the_tightest_group_around_a_process_counts(tmp_path, process):
    process.write_text("0::/hospital.slice/umaddpm.service\n")
    group(tmp_path / "fs" / "hospital.slice", GIB // 4, GIB // 8, 0)
    group(tmp_path / "fs" / "hospital.slice" / "umaddpm.service", "max", GIB // 16, 0)
    assert MemoryState.now(process, tmp_path / "fs") == MemoryState(GIB // 4, GIB // 8)


def test_a_container_of_version_1_whose_own_folder_is_not_seen_from_inside(tmp_path, process):
    process.write_text("4:cpu,cpuacct:/docker/1f\n3:memory:/docker/1f\n")
    group(tmp_path / "fs" / "memory", GIB // 2, GIB, 0, ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))
    assert MemoryState.now(process, tmp_path / "fs") == MemoryState(GIB // 2, 0)


@pytest.mark.parametrize("limit", ["max", 1 << 62])
def test_without_a_limit_the_machine_counts(tmp_path, process, limit):
    process.write_text("0::/\n")
    group(tmp_path / "fs", limit, 1, 0)
    assert MemoryState.now(process, tmp_path / "fs").total == psutil.virtual_memory().total
    assert MemoryState.now(tmp_path / "none", tmp_path / "none").total == psutil.virtual_memory().total


def test_a_limit_for_this_process_counts_what_it_has_already():
    own = psutil.Process().memory_info().rss
    state = MemoryState.within(own + 100_000_000)
    assert state.total == pytest.approx(own + 100_000_000, abs=1) and state.available < 200_000_000
    assert MemoryState.within(1).available == 0
