"""What a client may ask of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from umaddpm_core.errors import InputError, NotFound
from umaddpm_core.serving.parameters import MASK_EXTENSIONS, Parameters
from umaddpm_core.serving.review.scores import ACCEPTED_TAG

if TYPE_CHECKING:
    from monailabel.interfaces.datastore import Datastore

SELECTIONS = ("all", "labeled", "unlabeled")
"""As in stock MONAI Label: every image, those with an accepted mask, those without."""
PROPOSED_TAG = "original"


@dataclass(frozen=True)
class BatchRequest:
    """Which images, and how.

    Attributes:
        images: one of `SELECTIONS`, or ids.
        first: how many of them in the order of their ids; 0 for all.
        tag: under which the masks are saved.
        again: whether also those that were examined before, with the same model and parameters.
        parameters: of every detection.
    """

    images: str | tuple[str, ...]
    first: int
    tag: str
    again: bool
    parameters: Parameters

    @classmethod
    def of(cls, inferer: str, images: str, fields: Mapping[str, Any]) -> BatchRequest:
        """Read a request of the stock route; others of its fields (`device`, `multi_gpu`, `max_workers`) do nothing.

        Args:
            inferer: named by the route; a field `model` that names it, too, is no model file.
            images: of the query; a field of that name wins, as in stock MONAI Label.

        Raises:
            InputError: a value of the wrong kind.
        """
        chosen = fields.get("images", images)
        if chosen not in SELECTIONS and not (isinstance(chosen, list) and all(isinstance(one, str) and one for one in chosen)):
            raise InputError(f"`images` has to be one of {', '.join(SELECTIONS)}, or a list of ids.")
        first = fields.get("max_batch_size") or 0
        if not isinstance(first, int) or isinstance(first, bool) or first < 0:
            raise InputError("`max_batch_size` has to be a whole number; 0 is all images.")
        tag = fields.get("label_tag") or PROPOSED_TAG
        if not isinstance(tag, str) or tag == ACCEPTED_TAG:
            raise InputError(f"`label_tag` has to be a word other than {ACCEPTED_TAG!r}, under which accepted masks are kept.")
        again = fields.get("again", False)
        if not isinstance(again, bool):
            raise InputError("`again` has to be true or false.")
        model = None if fields.get("model") == inferer else fields.get("model")
        parameters = Parameters.from_mapping({**fields, "model": model})
        if parameters.result_extension not in MASK_EXTENSIONS:
            raise InputError(f"`result_extension` of a batch has to be one of {', '.join(MASK_EXTENSIONS)}: it saves masks.")
        return cls(tuple(dict.fromkeys(chosen)) if isinstance(chosen, list) else chosen, first, tag, again, parameters)

    def chosen(self, datastore: Datastore) -> list[str]:
        """Ids of the images, in their order.

        Raises:
            NotFound: one that is named is not listed.
            ArchiveUnavailable: the datastore is an archive that does not answer.
        """
        listed = datastore.list_images()
        if self.images == "labeled":
            listed = datastore.get_labeled_images(ACCEPTED_TAG)
        elif self.images == "unlabeled":
            listed = datastore.get_unlabeled_images(ACCEPTED_TAG)
        elif self.images != "all":
            if unknown := set(self.images) - set(listed):
                raise NotFound(f"There is no image {min(unknown)!r} in the datastore of this server.")
            listed = self.images
        return sorted(listed)[: self.first or None]
