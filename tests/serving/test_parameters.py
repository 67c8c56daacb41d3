"""Reading the form field `params`."""

import pytest

from umaddpm_core.errors import InputError
from umaddpm_core.serving.parameters import Parameters


def test_nothing_said_means_as_calibrated():
    assert Parameters.from_json("") == Parameters.from_json("{}") == Parameters()


def test_first_entries_of_the_drop_down_lists_mean_as_calibrated():
    assert Parameters.from_json('{"threshold": "default", "modality": "auto", "score": ""}') == Parameters()


def test_number_as_text_is_a_number():
    assert Parameters.from_json('{"threshold": " 0.25 "}').threshold == 0.25


def test_a_series_number_may_be_a_number():
    assert Parameters.from_json('{"series": 4}').series == Parameters.from_json('{"series": "4"}').series == "4"


def test_whole_number_is_the_same_question_as_its_float():
    assert Parameters.from_json('{"threshold": 1}') == Parameters.from_json('{"threshold": 1.0}')


@pytest.mark.parametrize("text", ['{"threshold": NaN}', '{"threshold": "nan"}', '{"threshold": 1e999}',
                                  '{"threshold": true}', '{"threshold": {}}', '{"model": 3}',
                                  '{"result_extension": "zip"}', "[" * 100_000])  # fmt: skip
def test_wrong_kind_is_refused(text):
    with pytest.raises(InputError):
        Parameters.from_json(text)
