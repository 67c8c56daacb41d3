"""Retraining from the panel. The server is a double that answers as the routes of training and models do: a real training takes
too long here, and is tested with the server."""

import json

import pytest
from AnomalyDetectionLib.widget.curve import HEIGHT, LossCurve, MARGIN, WIDTH
from AnomalyDetectionLib.scene.worklist import mark

JUDGEMENT = {"passed": False, "comparisons": {"T1": [{"figure": "dice", "candidate": 0.61, "in_use": 0.66}]}}
WAITING = {"name": "uma_ddpm", "judgement": JUDGEMENT, "reasons": ["T1: dice may be worse than now by 0.050."], "by": "Ada"}


class School:
    """A server with a trainer: what it was asked, and where its training stands."""

    def __init__(self):
        self.asked, self.epoch, self.status, self.candidate, self.in_use = [], 0, "", None, "uma_ddpm-v1"

    def behave(self, connection, server):
        head = server.read_head(connection)
        method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
        path = path.split("?")[0]
        head, _, body = head.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
        while len(body) < length:
            body += connection.recv(65536)
        if method != "GET" and path != "/datastore/image/info":
            self.asked.append((method, path, json.loads(body) if body else None))
        elif method != "GET":
            self.asked.append((method, path, b'"cohort": "healthy"' in body))
        answer = json.dumps(self.answer(method, path)).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)

    def answer(self, method, path):
        stats = {"epoch": self.epoch, "total_epochs": 4, "loss": 1 / (1 + self.epoch), "phase": f"epoch {self.epoch} of 4"}
        if path == "/info/":
            return {"version": "0.1.0", "models": {"anomaly": {}}, "trainers": {"uma_ddpm": {}}, "train_stats": {"uma_ddpm": stats}}
        if path == "/train/" and method == "GET":
            self.epoch += self.status == "RUNNING"
            return {"model": "uma_ddpm", "status": self.status, "details": [f"epoch {self.epoch}"]} if self.status else {}
        if path == "/train/uma_ddpm":
            self.status = "RUNNING"
        if path == "/train/":
            self.status = "STOPPED"
        if path.startswith("/anomaly/models/"):
            self.in_use, self.candidate = ("uma_ddpm-v2", None) if path.endswith("publish") else (None, self.candidate)
            return {"in_use": self.in_use}
        if path == "/anomaly/models":
            versions = {"in_use": self.in_use, "versions": ["uma_ddpm-v1"], "history": [], "candidate": self.candidate}
            return {"default": self.in_use or "uma_ddpm", "models": [], "versions": {"uma_ddpm": versions}}
        return {}


@pytest.fixture
def school():
    return School()


@pytest.fixture
def trained(shown, odd_server, school):
    """A panel with the section open."""
    shown.ui.retrainSection.setCollapsed(False)
    shown.ui.reviewerEdit.setText("Ada")
    shown.panel.retraining._clock.setInterval(20)
    shown.connect(odd_server(school.behave).url)
    shown.until(lambda: shown.ui.judgementLabel.text())
    return shown


def test_training_is_started_watched_and_stopped(trained, school):
    ui = trained.ui
    ui.epochsSpin.setValue(4)
    ui.trainButton.click()
    trained.until(lambda: ui.trainButton.text() == "Stop training" and not ui.curveLabel.isHidden())
    assert school.asked[0] == ("POST", "/train/uma_ddpm", {"max_epochs": 4, "publish": "never", "by": "Ada"})
    assert "epoch" in ui.trainingLog.toPlainText() and ui.trainingBar.value() > 0 and not ui.curveLabel.pixmap().isNull()
    ui.trainButton.click()
    trained.until(lambda: ui.trainButton.text() == "Start training")
    assert ("DELETE", "/train/") in [asked[:2] for asked in school.asked] and trained.says == ""


def test_model_that_may_be_worse_is_published_only_after_that_was_said(trained, school):
    ui = trained.ui
    assert not ui.publishButton.isEnabled()
    school.candidate = WAITING
    trained.until(ui.publishButton.isEnabled)
    assert "0.610 (in use: 0.660)" in ui.judgementLabel.text() and "may be worse" in ui.judgementLabel.text()
    trained.desktop.agreeing = False
    ui.publishButton.click()
    assert school.asked == [] and "worse than now" in trained.desktop.questions[0]
    trained.desktop.agreeing = True
    ui.publishButton.click()
    trained.until(lambda: "uma_ddpm-v2" in ui.judgementLabel.text())
    assert school.asked == [("POST", "/anomaly/models/uma_ddpm/publish", {"by": "Ada", "override": True})]
    ui.rollbackButton.click()
    trained.until(lambda: not ui.rollbackButton.isEnabled())
    assert school.asked[-1] == ("POST", "/anomaly/models/uma_ddpm/rollback", {"by": "Ada"})


def test_only_a_case_of_the_worklist_is_called_healthy(trained, school, delivery):
    from AnomalyDetectionLib.scene import add_result

    scan = trained.load(delivery.scan)
    result = add_result(trained.desk.scene, scan, delivery.files, delivery.report)
    trained.session.show(result)
    assert not trained.ui.healthyButton.isEnabled()
    mark(scan, trained.session.server, "case-7")
    trained.session.show(result)
    trained.ui.healthyButton.click()
    trained.until(lambda: "case-7 is called healthy" in trained.ui.healthyLabel.text())
    assert school.asked == [("PUT", "/datastore/image/info", True)]


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
