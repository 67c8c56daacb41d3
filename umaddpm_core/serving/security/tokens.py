"""The tokens that people and programs show, kept as their SHA-256 only."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from umaddpm_core.errors import InputError
from umaddpm_core.serving.security.roles import Role

TOKENS_VARIABLE = "UMADDPM_TOKENS"
"""Environment variable with the file of tokens."""
TOKEN_VARIABLE = "UMADDPM_TOKEN"
"""Environment variable with one token, which has the role `admin`."""
OWN_TOKEN_VARIABLE = "UMADDPM_OWN_TOKEN"
"""Environment variable with the token that the server's own child processes, and who started it, show to it."""
OWN_NAME = "the server itself"
SHORTEST = 20
HEADER = "# name role SHA-256 of the token; `umaddpm token NAME --role ROLE` adds a line, deleting one takes the token away\n"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Holder:
    """Who shows a token: a name, what it allows, and the token's SHA-256 in hexadecimal."""

    name: str
    role: Role
    digest: str


def digest(token: str) -> str:
    """What is stored of a token. It is random and long, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def new_token() -> str:
    """A fresh random token, 256 bits."""
    return f"umaddpm_{secrets.token_urlsafe(32)}"


def read_holders(file: Path) -> list[Holder]:
    """The entries of a file of tokens.

    Raises:
        InputError: missing, readable by other people, or a line that is not `name role hash`.
    """
    try:
        status = file.stat()
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InputError(f"The file of tokens {file} cannot be read ({reason.lower()}).") from error
    if os.name == "posix" and status.st_mode & 0o077:
        raise InputError(f"Other people can read the file of tokens {file}; keep it to yourself with `chmod 600 {file}`.")
    holders: list[Holder] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = line.split()
        if len(parts) != 3 or parts[1] not in Role.__members__ or not re.fullmatch(r"[0-9a-fA-F]{64}", parts[2]):
            raise InputError(f"Line {number} of the file of tokens {file} is not `name role SHA-256`.")
        if parts[0] in {holder.name for holder in holders}:
            raise InputError(f"The file of tokens {file} has two entries for {parts[0]}.")
        holders.append(Holder(parts[0], Role[parts[1]], parts[2].lower()))
    return holders


def add_token(file: Path, name: str, role: Role) -> str:
    """Make a token, add its hash to the file, which is made where it is missing, and return the token.

    Raises:
        InputError: a name with blanks or one that is taken, or a file that cannot be read or written.
    """
    from filelock import FileLock

    if not re.fullmatch(r"[\w.@-]{1,64}", name):
        raise InputError(f"{name!r} cannot name a token; use up to 64 letters, digits and . _ @ -")
    file = file.expanduser()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock", mode=0o600):
            known = read_holders(file) if file.exists() else []
            if name in {holder.name for holder in known}:
                raise InputError(f"There is a token for {name} already; delete its line in {file} to take it away.")
            token = new_token()
            text = file.read_text(encoding="utf-8") if file.exists() else HEADER
            _replace(file, f"{text.rstrip()}\n{name} {role.name} {digest(token)}\n")
    except OSError as error:
        raise InputError(f"The file of tokens {file} cannot be written ({(error.strerror or str(error)).lower()}).") from error
    return token


def _replace(file: Path, text: str) -> None:
    # `mkstemp` makes a file that only its owner can read.
    descriptor, part = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, file)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


class Tokens:
    """All tokens that a server knows; the file is read again when it changes, so a line taken out holds at once."""

    def __init__(self, file: Path | None, fixed: list[Holder]) -> None:
        self._file, self._fixed = file, fixed
        self._seen: tuple[int, int, int] | None = None
        self._from_file: list[Holder] = []
        if file is not None:
            self._from_file = read_holders(file)
            self._seen = _state(file)

    def __bool__(self) -> bool:
        return self._file is not None or bool(self._fixed)

    def holder(self, token: str) -> Holder | None:
        """Who the token belongs to, found without telling by the time it takes how much of it is right."""
        shown = digest(token)
        found = None
        for holder in (*self._fixed, *self._current()):
            if hmac.compare_digest(holder.digest, shown):
                found = holder
        return found

    def _current(self) -> list[Holder]:
        if self._file is not None and (state := _state(self._file)) != self._seen:
            try:
                self._from_file = read_holders(self._file)
            except InputError as error:
                # Nobody gets in by a file that cannot be read: it may have been changed to keep somebody out.
                logger.error("No token of the file is accepted until it is mended. %s", error)
                self._from_file = []
            self._seen = state
        return self._from_file


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_mode


def configured_tokens(environment: Mapping[str, str]) -> Tokens:
    """The tokens that the environment names; false where it names none.

    Raises:
        InputError: a file that cannot be used or holds no token, or a token that is too short.
    """
    named = environment.get(TOKENS_VARIABLE, "").strip()
    file = Path(named).expanduser() if named else None
    fixed = []
    if token := environment.get(TOKEN_VARIABLE, "").strip():
        if len(token) < SHORTEST or not token.isascii():
            raise InputError(
                f"{TOKEN_VARIABLE} is no good token: it needs {SHORTEST} letters or digits; `umaddpm token` makes one."
            )
        fixed.append(Holder(TOKEN_VARIABLE, Role.admin, digest(token)))
    elif file and not read_holders(file):
        raise InputError(f"The file of tokens {file} holds none; make one with `umaddpm token NAME --role admin`.")
    if (file or fixed) and (own := environment.get(OWN_TOKEN_VARIABLE, "").strip()):
        fixed.append(Holder(OWN_NAME, Role.train, digest(own)))
    return Tokens(file, fixed)


def is_loopback(host: str) -> bool:
    """Whether an address or host name means this computer only."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def require_tokens(host: str, environment: Mapping[str, str]) -> Tokens:
    """The configured tokens, for a server that is about to listen on `host`.

    Raises:
        InputError: none is configured and `host` is not loopback, or they cannot be used.
    """
    tokens = configured_tokens(environment)
    if not tokens and not is_loopback(host):
        raise InputError(
            f"Other computers can reach a server on {host}, so it needs tokens: make one with "
            f"`umaddpm token NAME --role infer --file tokens`, and set {TOKENS_VARIABLE}=tokens."
        )
    return tokens
