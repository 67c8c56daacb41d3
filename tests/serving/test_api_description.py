"""`/openapi.json`, from which others make clients; `security/test_malformed.py` checks that answers are as it says."""

import requests


def test_the_description_tells_of_files_refusals_and_tokens_as_they_are(server):
    described = requests.get(f"{server.url}/openapi.json", timeout=60).json()
    assert described["info"]["title"].startswith("UMA-DDPM") and "Research use only" in described["info"]["description"]
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert len(operations) > 30
    for operation in operations:
        assert operation["responses"]["default"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Refusal"}
        assert "token" not in {part["name"] for part in operation["parameters"]}
    assert "application/zip" in described["paths"]["/infer/{model}"]["post"]["responses"]["200"]["content"]
