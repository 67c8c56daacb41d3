"""Somebody who saves one label after the other, and remembers which of them the server has confirmed."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Sequence

import nibabel as nib
import numpy as np
import requests

TAG = "final"


class Reviewer:
    """Goes round the images again and again; every label is another one.

    Args:
        images: ids in the datastore.
    """

    def __init__(self, images: Sequence[str]) -> None:
        self.images = list(images)
        self._confirmed: dict[str, int] = {}
        self._tried: dict[str, int] = {}
        self._next = self._told = 0

    def save_until_the_server_is_gone(self, url: str) -> None:
        """Save labels; returns when nobody answers any more."""
        while True:
            number, image = self._next, self.images[self._next % len(self.images)]
            self._next, self._tried[image] = number + 1, number
            params = {"review": {"verdict": "accepted", "reviewer": str(number)}}
            try:
                answer = requests.put(
                    f"{url}/datastore/label", params={"image": image, "tag": TAG}, data={"params": json.dumps(params)},
                    files={"label": ("mask.nii.gz", label(number))}, timeout=60,
                )  # fmt: skip
            except requests.RequestException:
                return
            assert answer.status_code == 200, answer.text
            self._confirmed[image] = number

    def confirmed_since_last_time(self) -> int:
        """How many labels were saved since this was asked last."""
        new, self._told = self._next - self._told, self._next
        return new

    def missing(self, url: str) -> list[str]:
        """Labels that were confirmed and are not there: neither they nor the one that was on its way to take their place."""
        found = []
        for image, number in self._confirmed.items():
            where = {"label": image, "tag": TAG}
            possible = {number, self._tried[image]}
            kept = requests.get(f"{url}/datastore/label", params=where, timeout=60)
            if kept.status_code != 200 or kept.content not in {label(one) for one in possible}:
                found.append(f"label {number} of {image} is lost")
            info = requests.get(f"{url}/datastore/label/info", params=where, timeout=60).json()
            if int(info.get("review", {}).get("reviewer", -1)) not in possible:
                found.append(f"the verdict beside label {number} of {image} is lost")
        return found


def label(number: int) -> bytes:
    """A small mask in which the number is drawn."""
    voxels = np.zeros((8, 8, 8), np.uint8)
    bits = np.unpackbits(np.frombuffer(struct.pack(">I", number), np.uint8))
    voxels.reshape(-1)[: bits.size] = bits
    return gzip.compress(nib.Nifti1Image(voxels, np.eye(4)).to_bytes(), mtime=0)
