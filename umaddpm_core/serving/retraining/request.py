"""What a client may ask of a training on the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from umaddpm_core.errors import InputError
from umaddpm_core.training.config import Modality

OF_THE_SERVER = ("model", "client_id", "local_rank", "run_sync", "enqueue", "description", "device")
"""Keys that MONAI Label and its clients put into every request."""


class RetrainingRequest(BaseModel):
    """A training, and what happens with its model."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("uma_ddpm", description="of the published model; its version is added")
    start: Literal["in_use", "scratch"] = Field("in_use", description="weights to begin with")
    preset: str = Field("compact", description="size, where it begins from scratch")
    modalities: list[Modality] | None = Field(None, description="by default those of the model in use")
    max_epochs: int = Field(10, ge=1, le=10_000)
    steps_per_epoch: int = Field(100, ge=1, le=100_000)
    batch: int = Field(8, ge=1, le=1024)
    learning_rate: float = Field(2e-4, gt=0, le=0.1)
    multi_gpu: bool = Field(True, description="one process for each GPU, where there are several")
    gpus: str = Field("all", pattern=r"^(all|\d+(,\d+)*)$", description="numbers of those the training may use; MONAI Label hides the others from it")
    workers: int = Field(1, ge=0, le=64, description="processes that prepare and judge")
    publish: Literal["if_not_worse", "always", "never"] = Field("if_not_worse", description="`always` is recorded as an override")
    by: str = Field("", max_length=200, description="who asks")
    seed: int = 0

    @classmethod
    def choices(cls) -> dict[str, Any]:
        """What stock clients show of a training, and send back: values, and lists to choose from of which the first is the default."""
        shown = ("start", "publish", "max_epochs", "steps_per_epoch", "batch", "learning_rate", "multi_gpu")
        fields = {name: cls.model_fields[name] for name in shown}
        return {name: list(options) if (options := get_args(field.annotation)) else field.default for name, field in fields.items()}

    @staticmethod
    def of(request: Mapping[str, Any]) -> RetrainingRequest:
        """What a request of MONAI Label holds for us.

        Raises:
            InputError: an unknown key, or a value of the wrong kind or range.
        """
        ours = {key: value for key, value in request.items() if key not in OF_THE_SERVER}
        try:
            return RetrainingRequest.model_validate(ours)
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(f"The training cannot begin: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
