"""What can be chosen in the preparation of a scan; light to import, for command lines."""

from typing import Literal

Coverage = Literal["brain", "paper"]
Extraction = Literal["auto", "bundled", "hd-bet"]
RegistrationBackend = Literal["simpleitk", "ants"]
