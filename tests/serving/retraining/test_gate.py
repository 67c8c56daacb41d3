"""A retrained model takes the place of the one in use only where it is not worse."""

import pytest

from umaddpm_core.serving.retraining.gate import Judgement, compared


def people(dice, precision, found):
    """Ten people with two lesions each; in the first `found` of them something is marked without a lesion."""
    rows = []
    for i in range(10):
        rows.append({"subject": f"P{i}", "lesion": None, "marked_share": 0.01 if i < found else 0.0})
        rows += [{"subject": f"P{i}", "lesion": {}, "dice": dice + 0.01 * (i % 3), "average_precision": precision} for _ in range(2)]
    return rows


@pytest.mark.parametrize(
    ("candidate", "passes", "reason"),
    [
        (people(0.50, 0.40, 1), True, None),
        (people(0.60, 0.45, 0), True, None),
        (people(0.485, 0.40, 1), True, None),
        (people(0.47, 0.40, 1), False, "dice may be worse than now by 0.030"),
        (people(0.60, 0.30, 1), False, "average precision"),
        (people(0.60, 0.50, 4), False, "findings"),
    ],
)
def test_worse_in_any_figure_is_not_published(candidate, passes, reason):
    judgement = Judgement({"T1": compared(candidate, people(0.50, 0.40, 1))})
    assert judgement.passed is passes and judgement.as_dict()["passed"] is passes
    assert not judgement.reasons() if passes else reason in " ".join(judgement.reasons())


def test_one_sequence_that_is_worse_is_enough():
    same, worse = compared(people(0.5, 0.4, 1), people(0.5, 0.4, 1)), compared(people(0.4, 0.4, 1), people(0.5, 0.4, 1))
    assert Judgement({"T1": same}).passed and not Judgement({"T1": same, "T2": worse}).passed and not Judgement({}).passed


def test_a_sequence_that_would_be_lost_is_a_reason_against_it():
    judgement = Judgement({"T1": compared(people(0.6, 0.5, 0), people(0.5, 0.4, 1))}, lost=("T2",))
    assert not judgement.passed and judgement.reasons() == ["T2: the model in use knows this sequence, and the new one does not."]


def test_a_gain_that_is_chance_does_not_pass():
    """Better on the whole, yet so unevenly that it could as well be worse."""
    candidate = people(0.5, 0.4, 1)
    for row in candidate:
        if "dice" in row:
            row["dice"] += 0.5 if row["subject"] in ("P0", "P1") else -0.1
    (dice, *_) = compared(candidate, people(0.5, 0.4, 1))
    assert dice.gain > 0 and dice.low < -0.02 and not dice.not_worse


def test_other_people_are_an_error():
    with pytest.raises(ValueError, match="same people"):
        compared(people(0.5, 0.4, 1)[3:], people(0.5, 0.4, 1))
