"""Nothing of a patient leaves this computer before somebody has agreed to where it goes."""

from __future__ import annotations

from typing import Any

from ..client import Address
from ..translation import _

SETTING = "agreed"


def agreed(application: Any, address: Address) -> bool:
    """Whether the person agrees that scans are sent to an address; an answer of yes is remembered for it."""
    known = application.setting(SETTING).split("\n")
    if str(address) in known:
        return True
    text = _(
        "The scan, without its name and without DICOM headers, will be sent to\n\n{address}\n\nIts files are deleted there when the "
        "result has been fetched, unless you add it to the server's worklist. Do you want to send scans to this address?"
    )
    if not address.is_private:
        text += "\n\n" + _("The connection is not encrypted: others in the network can read what is sent. Prefer an address with https.")
    if not application.agrees(_("Send scans to this server?"), text.format(address=address)):
        return False
    application.keep_setting(SETTING, "\n".join([*filter(None, known), str(address)]))
    return True
