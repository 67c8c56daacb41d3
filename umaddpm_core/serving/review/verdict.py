"""What a reviewer says of a proposed mask."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from umaddpm_core.errors import InputError

KEY = "review"
"""Under which a verdict stands in a label's info."""


class Review(BaseModel):
    """Verdict on a proposed mask: `accepted` as it was, `corrected`, or `rejected`; who said so, why, and when (UTC)."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["accepted", "corrected", "rejected"]
    reviewer: str = Field(min_length=1, max_length=200)
    comment: str = Field("", max_length=5000)
    model: str = Field("", max_length=200, description="that proposed the mask")
    threshold: str | float | None = Field(None, description="at which it was proposed")
    time: str = Field("", description="set by the server")


def reviewed(info: Mapping[str, Any]) -> dict[str, Any]:
    """A label's info with its review checked and the time set; as it is where it has none.

    Raises:
        InputError: the review has no known verdict, no reviewer, an unknown key, or is too long.
    """
    if KEY not in info:
        return dict(info)
    try:
        review = Review.model_validate(info[KEY])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (KEY, *first["loc"])))
        raise InputError(f"`{where}` of the label is wrong: {first['msg']}.") from error
    time = datetime.now(UTC).isoformat(timespec="seconds")
    return {**info, KEY: {**review.model_dump(), "time": time}}
