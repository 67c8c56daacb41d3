"""Retraining from the panel on the real server: a training that begins, is watched, and is stopped; a model that is published."""

import json

import pytest
import requests
from AnomalyDetectionLib.scene import add_result
from AnomalyDetectionLib.scene.worklist import mark
from AnomalyDetectionLib.widget.curve import HEIGHT, MARGIN, WIDTH, LossCurve

from umaddpm_core.artefact import Artefact
from umaddpm_core.serving.models.candidate import Candidate

JUDGEMENT = {"passed": False, "comparisons": {"T1": [{"figure": "dice", "candidate": 0.61, "in_use": 0.66}]}}


@pytest.fixture(scope="module")
def model(quick_model, tiny_model):
    config = {**Artefact.load(tiny_model).config, "network": {"base": 8, "multipliers": [1, 1], "blocks": 1, "stem": 8}}
    return quick_model("uma_ddpm", ["T1"], **config)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("school")


@pytest.fixture(scope="module")
def school(serve, people, model, home):
    """A server with seven people in its datastore, all but the first of whom are called healthy."""
    (home / "studies").mkdir()
    cohort = people(home / "studies")
    with serve(home, UMADDPM_MODEL=str(model)) as running:
        for image, info in cohort.items():
            told = {"info": json.dumps(info if image != "P0-T1" else {"subject": "P0", "part": "training"})}
            assert requests.put(f"{running.url}/datastore/image/info", params={"image": image}, data=told, timeout=60).ok
        yield running


@pytest.fixture
def trainer(shown, school):
    """A panel with the section open."""
    shown.ui.reviewerEdit.setText("Ada")
    shown.connect(school.url)
    shown.panel.retraining._clock.setInterval(200)
    shown.ui.retrainSection.setCollapsed(False)
    shown.until(lambda: "In use: quick" in shown.ui.judgementLabel.text())
    return shown


def test_only_a_case_of_the_worklist_is_called_healthy(trainer, school, delivery):
    scan = trainer.load(delivery.scan)
    result = add_result(trainer.desk.scene, scan, delivery.files, delivery.report)
    trainer.session.show(result)
    assert not trainer.ui.healthyButton.isEnabled()
    mark(scan, school.url, "P0-T1")
    trainer.session.show(result)
    trainer.ui.healthyButton.click()
    trainer.until(lambda: "P0-T1 is called healthy" in trainer.ui.healthyLabel.text())
    info = requests.get(f"{school.url}/datastore/image/info", params={"image": "P0-T1"}, timeout=60).json()
    assert info["cohort"] == "healthy" and info["part"] == "training"


def test_a_training_is_started_watched_and_stopped(trainer):
    ui = trainer.ui
    ui.epochsSpin.setValue(50)
    ui.trainButton.click()
    trainer.until(lambda: not ui.curveLabel.isHidden())
    assert ui.trainButton.text() == "Stop training" and "epoch 2 of 50: loss" in ui.trainingLog.toPlainText()
    assert ui.trainingBar.maximum() == 50 and ui.trainingBar.value() >= 2
    ui.trainButton.click()
    trainer.until(lambda: ui.trainButton.text() == "Start training")
    assert trainer.says == "" and not ui.publishButton.isEnabled()


def test_a_model_that_may_be_worse_is_published_after_a_question_and_rolled_back(trainer, home, model):
    waiting = Candidate(home / "app" / "model" / "retraining" / "candidate.safetensors")
    waiting.keep(Artefact.load(model), "uma_ddpm", judgement=JUDGEMENT, reasons=["T1: dice may be worse."], by="Ada")
    ui = trainer.ui
    trainer.until(ui.publishButton.isEnabled)
    assert "0.610 (in use: 0.660)" in ui.judgementLabel.text() and "may be worse" in ui.judgementLabel.text()
    trainer.desktop.agreeing = False
    ui.publishButton.click()
    assert "T1: dice may be worse." in trainer.desktop.questions[0] and "In use: quick" in ui.judgementLabel.text()
    trainer.desktop.agreeing = True
    ui.publishButton.click()
    trainer.until(lambda: "In use: uma_ddpm-v1" in ui.judgementLabel.text())
    ui.rollbackButton.click()
    trainer.until(lambda: "In use: quick" in ui.judgementLabel.text())
    assert not ui.rollbackButton.isEnabled() and trainer.says == ""


def test_server_without_trainer_offers_none(shown, delivery):
    assert not shown.ui.trainButton.isEnabled() and "trainer" in shown.ui.trainButton.toolTip()
    assert not shown.panel.retraining._clock.isActive()


def test_curve_falls_from_left_to_right():
    curve = LossCurve()
    assert not curve.is_worth_drawing
    for epoch, loss in ((3, 0.2), (1, 1.0), (2, 0.4)):
        curve.add(epoch, loss)
    points = curve.points()
    assert points[0] == (MARGIN, MARGIN) and points[-1] == (WIDTH - MARGIN, HEIGHT - MARGIN)
    assert [x for x, _ in points] == sorted(x for x, _ in points) and curve.pixmap().width() == WIDTH
