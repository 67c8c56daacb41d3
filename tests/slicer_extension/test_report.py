"""The report page and its pictures."""

import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from AnomalyDetectionLib.lesions import Lesion
from AnomalyDetectionLib.pictures import MASK_COLOR, axial, heat_colors, picture, png
from AnomalyDetectionLib.report import KeySlice, Page, html
from PIL import Image

LESION = Lesion(1, 1.5, (0, 0, 0), (10.0, 12.0, 14.0), 0.4, 0.2, "left", "thalamus")


def page(**changes):
    usual = {
        "title": "t", "facts": (("Scan", "s"),), "summary": "1 finding", "lesions": (LESION,), "left_out": frozenset(), "slices": (),
        "notice": "Research use only.",
    }  # fmt: skip
    return Page(**{**usual, **changes})


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.sources = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]


def test_report_holds_everything_itself_and_says_research_use_only():
    text = html(page(slices=(KeySlice("Lesion 1: scan", png(np.zeros((4, 5, 3), np.uint8))),)))
    found = Elements(text)
    assert found.tags.count("img") == 1 and all(source.startswith("data:image/png;base64,") for source in found.sources)
    assert "script" not in found.tags and "link" not in found.tags and text.count("Research use only.") == 2
    assert "@media print" in text and "left thalamus" in text and "10 × 12 × 14" in text


def test_markup_in_names_and_comments_stays_text():
    evil = '<script>alert("x")</script><img src=x onerror=y>'
    lesion = Lesion(1, 1, (0, 0, 0), (1, 1, 1), 1, 1, "", evil)
    text = html(page(title=evil, facts=((evil, evil),), summary=evil, slices=(KeySlice(evil, b""),), lesions=(lesion,)))
    assert "script" not in Elements(text).tags and Elements(text).tags.count("img") == 1


def test_lesions_left_out_are_shown_as_such_and_none_is_told():
    assert "left out by the reviewer" in html(page(left_out=frozenset({1})))
    assert "No finding above the threshold." in html(page(lesions=()))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, 1), (1, -1, -1)])
def test_slices_lie_as_a_radiologist_looks_at_them_whatever_the_axes_of_the_scan(order, signs):
    # One voxel to the patient's left, front, and top of a 3 x 4 x 5 grid whose axes run along RAS in some order and direction.
    geometry = np.eye(4)
    geometry[:3, :3] = 0
    for ijk, (ras, sign) in enumerate(zip(order, signs)):
        geometry[ras, ijk] = sign * (ijk + 1.0)
    size = np.array([5, 4, 3])
    extremes = {0: -1, 1: 1, 2: 1}
    index = [size[ijk] - 1 if signs[ijk] == extremes[order[ijk]] else 0 for ijk in range(3)]
    values = np.zeros(size[::-1])
    values[index[2], index[1], index[0]] = 1
    turned, pixel = axial(values, geometry)
    assert np.argwhere(turned).tolist() == [[turned.shape[0] - 1, 0, turned.shape[2] - 1]]
    assert pixel == (order.index(1) + 1.0, order.index(0) + 1.0)


def test_picture_has_the_proportions_of_the_head_and_the_outline_of_the_mask():
    values, mask = np.linspace(0, 1, 200).reshape(10, 20), np.zeros((10, 20))
    mask[3:7, 5:15] = 1
    image = picture(values, (0, 1), (2.0, 1.0), mask, width=100)
    assert image.shape == (100, 100, 3) and (image == MASK_COLOR).all(axis=2).sum() > 0
    assert not (image[50, 50] == MASK_COLOR).all()
    read = np.asarray(Image.open(io.BytesIO(png(image))))
    assert np.array_equal(read, image)


def test_heat_is_drawn_from_half_the_threshold_on_and_is_lightest_from_twice_of_it():
    scores = np.repeat([[0.0, 0.04, 0.06, 0.1, 0.2, 0.9]], 2, axis=0)
    image = picture(np.full((2, 6), 0.5), (0, 1), (1.0, 1.0), heat=(scores, 0.1), width=6).astype(int)
    is_grey = (image == image[..., :1]).all(axis=2)
    assert is_grey[0].tolist() == [True, True, False, False, False, False]
    lightness = image.sum(axis=2)[0, 2:]
    assert lightness[0] < lightness[1] < lightness[2] and (image[0, 4] == image[0, 5]).all()
    assert np.array_equal(image[0, 3], np.rint(255 * heat_colors()[127]))


def test_outside_references_are_absent():
    assert not re.search(r"https?://", html(page()))
