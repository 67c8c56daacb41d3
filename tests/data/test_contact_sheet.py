"""The contact sheets of a cache."""

import matplotlib.image
import numpy as np
import torch

from umaddpm_core.data.cache import ArrayCache, CachedScan, write_index, write_settings, write_volume
from umaddpm_core.data.contact_sheet import TILES, draw_contact_sheets


def cache_of(folder, count, lesions=False):
    volume = torch.zeros(1, 96, 96, 40)
    volume[:, 20:76, 16:80, 4:36] = 0.6
    marked = torch.zeros_like(volume, dtype=torch.bool)
    marked[:, 40:50, 40:50, 15:25] = True
    quality = {"brain_ml": 1400.0, "warnings": ["Look at it."]}
    scans = [CachedScan(f"S{n:03d}-T1", f"S{n:03d}", "T1", "test", quality, has_lesions=lesions) for n in range(count)]
    for scan in scans:
        write_volume(folder, scan.name, volume, marked if lesions else None)
    write_settings(folder, "stand-in", {}, {})
    write_index(folder, scans)
    return ArrayCache(folder)


def reddish(picture):
    return ((picture[..., 0] > 0.7) & (picture[..., 1] < 0.5)).sum()


def test_few_scans_are_one_picture_with_lesions_outlined(tmp_path):
    (sheet,) = draw_contact_sheets(cache_of(tmp_path / "with", 2, lesions=True))
    assert sheet == tmp_path / "with" / "contact_sheet.png"
    assert reddish(matplotlib.image.imread(sheet)) > 50
    (plain,) = draw_contact_sheets(cache_of(tmp_path / "without", 2))
    assert reddish(matplotlib.image.imread(plain)) == 0


def test_many_scans_are_several_pages_and_old_pages_go(tmp_path):
    cache = cache_of(tmp_path, TILES + 1)
    (tmp_path / "contact_sheet_09.png").write_text("of an earlier run")
    sheets = draw_contact_sheets(cache)
    assert [sheet.name for sheet in sheets] == ["contact_sheet_01.png", "contact_sheet_02.png"]
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [sheet.name for sheet in sheets]
    assert np.all(np.array(matplotlib.image.imread(sheets[0]).shape[:2]) > 1000)
