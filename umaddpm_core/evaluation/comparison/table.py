"""A table of text as Markdown, CSV and LaTeX, and how figures become its cells."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

MISSING = "–"


@dataclass(frozen=True)
class Table:
    """A title, the names of the columns, and rows of text; `notes` stand below."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str]

    def markdown(self) -> str:
        lines = [" | ".join(row) for row in ([*self.columns], ["---"] * len(self.columns), *self.rows)]
        return "\n".join([f"**{self.title}**", "", *(f"| {line} |" for line in lines), "", *self.notes]).rstrip() + "\n"

    def csv(self) -> str:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.columns, *self.rows])
        return text.getvalue()

    def latex(self) -> str:
        lines = [" & ".join(_escaped(cell) for cell in row) + r" \\" for row in (self.columns, *self.rows)]
        return "\n".join(
            [
                r"\begin{table}",
                rf"\caption{{{_escaped(self.title)}. {_escaped(' '.join(self.notes))}}}",
                rf"\begin{{tabular}}{{l{'r' * (len(self.columns) - 1)}}}",
                r"\toprule",
                lines[0],
                r"\midrule",
                *lines[1:],
                r"\bottomrule",
                r"\end{tabular}",
                r"\end{table}",
                "",
            ]
        )


def mean(means: dict[str, Any], figure: str, digits: int = 3, factor: float = 1) -> str:
    """A mean, or a dash where nobody has the figure."""
    value = means.get(figure, {}).get("mean")
    return MISSING if value is None else f"{factor * value:.{digits}f}"


def with_interval(means: dict[str, Any], figure: str) -> str:
    low, high = (means.get(figure, {}).get(end) for end in ("low", "high"))
    return mean(means, figure) + ("" if low is None else f" ({low:.3f}–{high:.3f})")


def falling(cell: str) -> float:
    """Sorts cells by their number, the largest first and words last."""
    try:
        return -float(cell.split()[0])
    except ValueError:
        return float("inf")


def _escaped(text: str) -> str:
    for sign, replacement in (("&", r"\&"), ("%", r"\%"), ("_", r"\_"), ("–", "--"), ("`", "")):
        text = text.replace(sign, replacement)
    return text
