"""Review over HTTP: what was found is kept with the image, orders the cases, and verdicts come back with the label."""

import json

import requests


def test_a_detection_orders_the_cases_and_a_verdict_stays(server, tmp_path):
    assert server.ask(image=server.image, output="json").status_code == 200
    info = requests.get(f"{server.url}/datastore/image/info", params={"image": server.image}, timeout=60).json()
    assert info["anomaly"]["score"] > 0 and info["anomaly"]["doubt"] >= 0
    strategies = requests.get(f"{server.url}/info/", timeout=60).json()["strategies"]
    assert {"highest_score", "most_uncertain", "random", "first"} <= set(strategies)
    chosen = requests.post(f"{server.url}/activelearning/highest_score", json={}, timeout=60).json()
    assert chosen["id"] == server.image and chosen["score"] == info["anomaly"]["score"]

    mask = tmp_path / "mask.nii.gz"
    mask.write_bytes(server.ask(image=server.image, output="image", params={"result_extension": ".nii.gz"}).content)
    where = {"image": server.image, "tag": "reviewed"}

    def save(review):
        with mask.open("rb") as file:
            fields = {"params": json.dumps({"review": review})}
            return requests.put(f"{server.url}/datastore/label", params=where, data=fields, files={"label": file}, timeout=60)

    assert save({"verdict": "perhaps", "reviewer": "Ada"}).status_code == 422
    saved = save({"verdict": "accepted", "reviewer": "Ada"})
    assert saved.status_code == 200, saved.text
    label = {"label": saved.json()["label"], "tag": "reviewed"}
    kept = requests.get(f"{server.url}/datastore/label/info", params=label, timeout=60).json()
    assert kept["review"]["verdict"] == "accepted" and kept["review"]["time"]
    requests.delete(f"{server.url}/datastore/label", params={"id": label["label"], "tag": "reviewed"}, timeout=60)
