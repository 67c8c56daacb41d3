"""What the environment says about access and limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from umaddpm_core.errors import InputError
from umaddpm_core.serving.security.tokens import TOKEN_VARIABLE, TOKENS_VARIABLE
from umaddpm_core.sizes import size_setting

ORIGINS_VARIABLE = "UMADDPM_ORIGINS"
HOSTS_VARIABLE = "UMADDPM_HOSTS"
BIND_VARIABLE = "UMADDPM_BIND"
"""Address that the server listens on; set by whoever starts it."""
MODEL_UPLOAD_VARIABLE = "UMADDPM_ALLOW_MODEL_UPLOAD"
LARGEST_BODY_VARIABLE = "UMADDPM_LARGEST_REQUEST"
AUDIT_VARIABLE = "UMADDPM_AUDIT"
AUDIT_SIZE_VARIABLE = "UMADDPM_AUDIT_SIZE"


@dataclass(frozen=True)
class SecuritySettings:
    """Access and limits of one server process.

    `origins` are the web origins that may use the server from a browser, `hosts` further names it is called by, `bind`
    the address it listens on; `largest_body` and `audit_size` are bytes, `audit` is None where nothing is recorded.
    """

    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    bind: str = ""
    allow_model_upload: bool = False
    largest_body: int = 2 << 30
    audit: Path | None = None
    audit_size: int = 10 << 20

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], audit: Path | None = None) -> SecuritySettings:
        """Read the variables; `audit` is the file where the environment names none.

        Raises:
            InputError: a value that means nothing, or a setting of MONAI Label that does not work.
        """
        _refuse_stock_access_settings(environment)
        origins = _listed(environment, ORIGINS_VARIABLE)
        for origin in origins:
            if not re.fullmatch(r"https?://[^/\s*?#@]+", origin):
                raise InputError(f"{ORIGINS_VARIABLE} holds {origin!r}; an origin is written as https://viewer.example:8443.")
        named = environment.get(AUDIT_VARIABLE, "").strip()
        return cls(
            origins=tuple(origin.lower() for origin in origins),
            hosts=tuple(host.lower() for host in _listed(environment, HOSTS_VARIABLE)),
            bind=environment.get(BIND_VARIABLE, "").strip().lower(),
            allow_model_upload=environment.get(MODEL_UPLOAD_VARIABLE, "").strip() == "1",
            largest_body=size_setting(environment, LARGEST_BODY_VARIABLE) or cls.largest_body,
            audit=None if named.lower() == "off" else Path(named) if named else audit,
            audit_size=size_setting(environment, AUDIT_SIZE_VARIABLE) or cls.audit_size,
        )


def _refuse_stock_access_settings(environment: Mapping[str, str]) -> None:
    if environment.get("MONAI_LABEL_AUTH_ENABLE", "").strip().lower() in ("1", "true", "yes", "on"):
        raise InputError(
            "MONAI_LABEL_AUTH_ENABLE refuses every token in MONAI Label 0.8.5; unset it and name a file of tokens in "
            f"{TOKENS_VARIABLE}, or one token in {TOKEN_VARIABLE}."
        )
    if environment.get("MONAI_LABEL_CORS_ORIGINS", "").strip() not in ("", "[]"):
        raise InputError(f"MONAI_LABEL_CORS_ORIGINS does not work in MONAI Label 0.8.5; use {ORIGINS_VARIABLE}.")


def _listed(environment: Mapping[str, str], variable: str) -> list[str]:
    return [entry.strip() for entry in environment.get(variable, "").split(",") if entry.strip()]
