"""What the datastore asks of a real archive, and what it says when the archive does not answer."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import orthanc as archives
import pytest
import SimpleITK as sitk
from dicom_writer import study

from umaddpm_core.errors import InputError, NotFound
from umaddpm_core.preprocessing.reading import read_mask, read_scan
from umaddpm_core.serving.dicom.address import check_address
from umaddpm_core.serving.dicom.archive import Archive, ArchiveUnavailable
from umaddpm_core.serving.dicom.datastore import MR, ArchiveDatastore
from umaddpm_core.serving.dicom.listing import Listing
from umaddpm_core.serving.dicom.segmentation import accepted_segmentation, segmentation
from umaddpm_core.serving.dicom.source_series import source_series
from umaddpm_core.serving.retraining.cohort import healthy_cohort

CREDENTIALS = (archives.USER, archives.PASSWORD)


@pytest.fixture
def datastore(orthanc, tmp_path) -> ArchiveDatastore:
    """On the archive, with room for one or two series."""
    archive = Archive(orthanc.url, CREDENTIALS)
    return ArchiveDatastore(archive, tmp_path / "cache", filters=MR, cache_mb=1, listed=1000, seconds=0)


@pytest.fixture
def new_series(orthanc, oblique_scan) -> str:
    return orthanc.store(study(sitk.ReadImage(str(oblique_scan))))


def test_series_is_read_as_it_was_stored(datastore, new_series, orthanc, oblique_scan):
    folder = Path(datastore.get_image_uri(new_series))
    assert len(list(folder.iterdir())) == len(orthanc.files(new_series))
    assert read_scan(folder).image.GetSize() == sitk.ReadImage(str(oblique_scan)).GetSize()
    assert datastore.holds(folder)


def test_only_what_fits_is_kept_and_an_evicted_series_is_fetched_again(datastore, orthanc, oblique_scan):
    scan = sitk.ReadImage(str(oblique_scan))
    series = [orthanc.store(study(scan)) for _ in range(4)]
    folders = [Path(datastore.get_image_uri(uid)) for uid in series]
    kept = [folder for folder in folders if folder.is_dir()]
    assert folders[-1] in kept and folders[0] not in kept
    assert sum(file.stat().st_size for folder in kept for file in folder.iterdir()) <= 1 << 20
    assert any(Path(datastore.get_image_uri(series[0])).iterdir())


def test_series_in_use_is_not_evicted(datastore, orthanc, oblique_scan):
    scan = sitk.ReadImage(str(oblique_scan))
    used, *others = [orthanc.store(study(scan)) for _ in range(4)]
    with datastore.held(used) as folder:
        for uid in others:
            datastore.get_image_uri(uid)
        assert any(folder.iterdir())
    assert not folder.exists()


def test_all_that_a_training_reads_stays_until_it_was_read(datastore, orthanc, oblique_scan):
    scan = sitk.ReadImage(str(oblique_scan))
    series = [orthanc.store(study(scan)) for _ in range(4)]
    for uid in series:
        datastore.update_image_info(uid, {"cohort": "healthy", "modality": "T1"})
    with ExitStack() as holding:
        scans, left_out = healthy_cohort(datastore, holding)
        assert sorted(one.path.name for one in scans) == sorted(series) and not left_out
        assert all(any(one.path.iterdir()) for one in scans), "more than there is room for"
    assert not all(one.path.is_dir() for one in scans)


def test_two_who_ask_for_a_series_at_once_fetch_it_once(datastore, new_series, orthanc, oblique_scan):
    alone = orthanc.store(study(sitk.ReadImage(str(oblique_scan))))
    datastore.get_image_uri(alone)
    lines_of_one = orthanc.log().count(f"/series/{alone}")
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(datastore.get_image_uri, [new_series] * 4))
    assert len(folders) == 1
    assert orthanc.log().count(f"/series/{new_series}") == lines_of_one


def test_a_person_s_seg_counts_as_label_and_ours_does_not(datastore, orthanc, oblique_scan, detection_in):
    scan = sitk.ReadImage(str(oblique_scan))
    examined, reviewed = orthanc.store(study(scan)), orthanc.store(study(scan))
    folder = Path(datastore.get_image_uri(examined))
    datastore.archive.store([segmentation(detection_in(folder), source_series(folder))])
    folder = Path(datastore.get_image_uri(reviewed))
    datastore.archive.store([accepted_segmentation(detection_in(folder).mask, source_series(folder))])
    assert reviewed in datastore.get_labeled_images() and examined in datastore.get_unlabeled_images()
    assert set(datastore.get_labeled_images()) | set(datastore.get_unlabeled_images()) == set(datastore.list_images())


def test_an_empty_label_is_kept_here_and_makes_no_seg(datastore, new_series, orthanc, tmp_path):
    before = orthanc.search(Modality="SEG")
    mask = read_scan(datastore.get_image_uri(new_series)).image * 0
    path = tmp_path / "mask.nrrd"
    sitk.WriteImage(sitk.Cast(mask, sitk.sitkUInt8), str(path))
    datastore.save_label(new_series, str(path), "final", {})
    assert orthanc.search(Modality="SEG") == before
    assert new_series in datastore.get_labeled_images()
    assert not sitk.GetArrayViewFromImage(read_mask(Path(datastore.get_label_uri(new_series, "final")))).any()


def test_labels_of_another_process_are_seen_and_kept(datastore, new_series, tmp_path):
    job = ArchiveDatastore(datastore.archive, tmp_path / "cache", filters=MR, cache_mb=1, listed=1000, seconds=0)
    path = tmp_path / "mask.nrrd"
    sitk.WriteImage(sitk.Cast(read_scan(job.get_image_uri(new_series)).image > 100, sitk.sitkUInt8), str(path))
    job.save_label(new_series, str(path), "original", {})
    assert datastore.status()["label_tags"] == {"original": 1}
    datastore.update_image_info(new_series, {"seen": True})
    assert job.status()["label_tags"] == {"original": 1}


def test_list_is_bounded(orthanc, stored, new_series):
    assert len(Archive(orthanc.url, CREDENTIALS).series(MR, limit=2)) == 2


def test_unknown_series_is_named(datastore):
    with pytest.raises(NotFound, match="no series '1.2.3'"):
        datastore.get_image_uri("1.2.3")
    assert list((datastore._cache.folder).iterdir()) == []


def test_refused_password_is_one_sentence(orthanc):
    with pytest.raises(ArchiveUnavailable, match="refuses the user name and password") as error:
        Archive(orthanc.url, (archives.USER, "wrong")).series(MR, limit=1)
    assert "wrong" not in str(error.value)


def test_something_else_at_the_address_is_one_sentence(orthanc):
    with pytest.raises(ArchiveUnavailable, match=r"^[^\n]+\.$"):
        Archive(orthanc.url.removesuffix("/dicom-web"), CREDENTIALS).series(MR, limit=1)


def test_archive_that_is_gone_is_told_at_once():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        archive = Archive(f"http://127.0.0.1:{probe.getsockname()[1]}/dicom-web")
        started = time.monotonic()
        with pytest.raises(ArchiveUnavailable, match="does not answer"):
            archive.series(MR, limit=1)
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("url", ["ftp://host/x", "http://", "host/dicom-web", "http://host:port/x", "http://[::1/x"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(InputError, match="has to look like"):
        check_address(url)


def test_address_with_a_password_is_refused_without_repeating_it():
    with pytest.raises(InputError, match="MONAI_LABEL_DICOMWEB_PASSWORD") as error:
        check_address("http://user:secret@host/dicom-web")
    assert "secret" not in str(error.value)


def test_nobody_waits_for_the_last_known_list():
    answer = threading.Event()
    listing = Listing(lambda: answer.wait(30) and ["series"], seconds=0)
    started = time.monotonic()
    assert listing.known() is None and time.monotonic() - started < 1
    answer.set()
    assert listing.get() == ["series"] and listing.known() == ["series"]


def test_who_waited_for_a_list_while_it_failed_is_not_kept_waiting_again():
    asked = []

    def ask():
        asked.append(time.monotonic())
        time.sleep(0.3)
        raise ArchiveUnavailable("The archive does not answer.")

    listing = Listing(ask, seconds=30)
    with ThreadPoolExecutor(8) as pool:
        failures = [future.exception() for future in [pool.submit(listing.get) for _ in range(8)]]
    assert len(asked) == 1 and {str(failure) for failure in failures} == {"The archive does not answer."}
    with pytest.raises(ArchiveUnavailable):
        listing.get()
    assert len(asked) == 2, "who asks afterwards is answered anew"
