"""What is compared: methods, budgets and sets of cases, a YAML file, validated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from umaddpm_core.errors import InputError
from umaddpm_core.methods import METHODS
from umaddpm_core.training.config import Modality, TrainingConfig, find_config, read_yaml


class Entry(BaseModel):
    """A row of the tables: a method under a name, with settings that differ from the preset's."""

    model_config = ConfigDict(extra="forbid")

    name: str
    experiment: str = Field(description="of `umaddpm train`: a shipped experiment, a method, or a YAML file")
    settings: dict[str, Any] = Field(default_factory=dict, description="of training, instead of the experiment's and the preset's")
    test: dict[str, Any] = Field(default_factory=dict, description="of the method when it reconstructs, such as t_test")
    people: int | None = Field(None, ge=1, description="of the plan's validation and of its test people only so many, for a slow method")
    cases: int | None = Field(None, ge=1, description="of the development and of the test cases of each set only so many")
    note: str = Field("", description="printed under the tables")


class Budget(BaseModel):
    """Runs of so many slices, one for each seed."""

    model_config = ConfigDict(extra="forbid")

    slices: int = Field(ge=1)
    seeds: list[int] = Field(min_length=1)


class CaseSet(BaseModel):
    """Labelled cases: an array cache, or a folder in a cohort's layout."""

    model_config = ConfigDict(extra="forbid")

    name: str
    source: Path
    modality: Modality
    layout: str | None = Field(None, description="of a folder that is no array cache")
    part: str = Field("test", description="that is reported; of a set with a development part, that gives the threshold `lesion_dice`")
    limit: int | None = Field(None, ge=1, description="at most so many cases, the first by name")
    optional: bool = Field(False, description="where the source is not there, the tables say so instead of numbers")


class Plan(BaseModel):
    """A comparison. Paths are relative to the folder the command is called in."""

    model_config = ConfigDict(extra="forbid")

    preset: str = "small"
    modalities: list[Modality] = Field(min_length=1)
    methods: list[Entry] = Field(min_length=1)
    long: Budget = Field(description="the runs the tables are about")
    short: Budget | None = Field(None, description="cheaper runs that show the spread over seeds")
    sets: list[CaseSet] = Field(default_factory=list)
    reference: str = Field(description="the method the others are tested against")
    calibration_people: int = Field(8, ge=1, description="validation people who give the thresholds, with two painted lesions each")
    healthy_people: int = Field(8, ge=1, description="test people who are repainted, with a painted lesion of each kind")
    pictures: list[str] = Field(default_factory=list, description="names of cases in the figure")

    def training(self, entry: Entry, modality: Modality, slices: int, seed: int) -> TrainingConfig:
        """The run of an entry: as many steps as the slices fill batches."""
        config = find_config(entry.experiment, self.preset, modalities=[modality], seed=seed, **entry.settings)
        return config.model_copy(update={"steps": max(slices // config.batch, 1)})


def read_plan(path: Path) -> Plan:
    """The plan in a YAML file.

    Raises:
        InputError: no such file, no YAML, an unknown key, a value out of range, a name twice, or an unknown reference.
    """
    if not path.is_file():
        raise InputError(f"There is no plan {path}.")
    try:
        plan = Plan(**read_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{path.name} is wrong at {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
    names = [entry.name for entry in plan.methods]
    for kind, given in (("methods", names), ("sets", [chosen.name for chosen in plan.sets])):
        for name in given:
            if given.count(name) > 1:
                raise InputError(f"{path.name} has two {kind} called {name!r}; give each a name of its own.")
    if plan.reference not in names:
        raise InputError(f"{path.name} compares with {plan.reference!r}, which is none of its methods.")
    for entry in plan.methods:
        if learns(entry):
            plan.training(entry, plan.modalities[0], plan.long.slices, 0)
    return plan


def learns(entry: Entry) -> bool:
    """Whether the entry is trained; a baseline without learning is not."""
    return entry.experiment not in METHODS or METHODS[entry.experiment].learned
