"""A detection on one page that prints well: HTML without anything outside of it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from .lesions import Lesion
from .translation import _

STYLE = """
body { font: 14px/1.45 system-ui, "Segoe UI", Arial, sans-serif; color: #1b2530; max-width: 60em; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em; margin: 0 } h2 { font-size: 1.1em; margin: 1.6em 0 .4em }
.notice { border: 2px solid #b3261e; color: #b3261e; padding: .4em .8em; font-weight: 600; margin: .8em 0 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25em .6em; border-bottom: 1px solid #d5dbe1 }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
tr.out td { color: #7a8590; text-decoration: line-through }
.slices { display: grid; grid-template-columns: repeat(3, 1fr); gap: .8em } figure { margin: 0; break-inside: avoid }
figcaption { font-size: .85em; color: #4a5662 }
img { display: block; width: 100%; background: #000 }
@page { size: A4; margin: 15mm } @media print { body { margin: 0; max-width: none } tr, .notice { break-inside: avoid } }
"""


@dataclass(frozen=True)
class KeySlice:
    """A picture of the page: PNG, and what it shows."""

    caption: str
    png: bytes


@dataclass(frozen=True)
class Page:
    """What a report says.

    Attributes:
        facts: name and text, in the order in which they are shown: scan, model, threshold, quality, reviewer, …
        summary: the result in words.
        lesions: of the mask, and `left_out` the numbers of those that a person took out of it.
        slices: the key slices.
        notice: shown at the beginning and at the end.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    summary: str
    lesions: tuple[Lesion, ...]
    left_out: frozenset[int]
    slices: tuple[KeySlice, ...]
    notice: str


def html(page: Page) -> str:
    """The page; whatever comes from scans, servers, and people is text in it, never markup."""
    notice = f'<p class="notice">{escape(page.notice)}</p>'
    facts = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in page.facts)
    slices = "".join(_figure(one) for one in page.slices)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(page.title)}</title>'
        f"<style>{STYLE}</style></head>\n<body><h1>{escape(page.title)}</h1>\n{notice}\n"
        f"<p>{escape(page.summary)}</p>\n<table>{facts}</table>\n"
        f"<h2>{_('Lesions')}</h2>\n{_table(page.lesions, page.left_out)}\n"
        f"<h2>{_('Key slices')}</h2>\n<p>{_('The right of the patient is on the left.')}</p>\n"
        f"<div class=slices>{slices or _('There are none.')}</div>\n{notice}</body></html>\n"
    )


def _table(lesions: Iterable[Lesion], left_out: frozenset[int]) -> str:
    rows = "".join(_row(lesion, lesion.number in left_out) for lesion in lesions)
    if not rows:
        return f"<p>{_('No finding above the threshold.')}</p>"
    numbers = ("#", _("Volume [ml]"), _("Extent [mm]"), _("Mean score"), _("Peak score"))
    head = "".join(f'<th class="number">{name}</th>' for name in numbers) + f"<th>{_('Side and structure')}</th>"
    return f"<table><tr>{head}</tr>{rows}</table>"


def _row(lesion: Lesion, is_out: bool) -> str:
    extent = " × ".join(f"{length:.0f}" for length in lesion.extent_mm)
    numbers = (lesion.number, f"{lesion.volume_ml:.2f}", extent, f"{lesion.mean:.3f}", f"{lesion.peak:.3f}")
    cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
    place = escape(lesion.place) + (_(" (left out by the reviewer)") if is_out else "")
    return f'<tr{" class=out" if is_out else ""}>{cells}<td>{place}</td></tr>'


def _figure(one: KeySlice) -> str:
    source = b64encode(one.png).decode("ascii")
    caption = escape(one.caption)
    return f'<figure><img alt="{caption}" src="data:image/png;base64,{source}"><figcaption>{caption}</figcaption></figure>'
