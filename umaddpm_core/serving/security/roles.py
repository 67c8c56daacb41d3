"""Which route needs which role."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cache


class Role(IntEnum):
    """What a token allows; each role includes those before it."""

    read = 1
    infer = 2
    train = 3
    admin = 4


OPEN = None
"""In place of a role: answered without a token."""

# read: look at what is there. infer: have scans examined, and send corrected masks back. train: change what the server
# learns from, and have it learn. admin: remove what others made, exchange weights, read logs.
ROUTES: dict[str, dict[str, Role | None]] = {
    "/": {"GET": Role.read},
    "/docs": {"GET": Role.read, "HEAD": Role.read},
    "/openapi.json": {"GET": Role.read, "HEAD": Role.read},
    "/favicon.ico": {"GET": Role.read},
    "/static/{path:path}": {"GET": Role.read, "HEAD": Role.read},
    "/ohif/{path:path}": {"GET": Role.read},
    "/health": {"GET": OPEN, "HEAD": OPEN},
    "/ready": {"GET": OPEN, "HEAD": OPEN},
    # Says how to sign in, to those who have not yet; included by MONAI Label only with its own sign-in.
    "/auth/": {"GET": OPEN},
    "/auth/token": {"POST": OPEN},
    "/auth/token/valid": {"GET": OPEN},
    "/info/": {"GET": Role.read},
    "/infer/{model}": {"POST": Role.infer},
    "/anomaly/jobs": {"GET": Role.infer, "POST": Role.infer},
    "/anomaly/jobs/{job_id}": {"GET": Role.infer, "DELETE": Role.infer},
    "/anomaly/jobs/{job_id}/{result}": {"GET": Role.infer},
    "/anomaly/models": {"GET": Role.read},
    "/anomaly/models/{name}/use": {"POST": Role.train},
    "/anomaly/models/{name}/rollback": {"POST": Role.train},
    "/anomaly/models/{name}/publish": {"POST": Role.train},
    "/session/": {"PUT": Role.infer},
    "/session/{session_id}": {"GET": Role.infer, "DELETE": Role.infer},
    "/activelearning/{strategy}": {"POST": Role.infer},
    "/batch/infer": {"GET": Role.read, "DELETE": Role.train},
    "/batch/infer/{model}": {"POST": Role.train},
    "/train/": {"GET": Role.read, "POST": Role.train, "DELETE": Role.train},
    "/train/{model}": {"POST": Role.train},
    "/scoring/": {"GET": Role.read, "POST": Role.train, "DELETE": Role.train},
    "/scoring/{method}": {"POST": Role.train},
    "/datastore/": {"GET": Role.read, "PUT": Role.train, "DELETE": Role.admin},
    "/datastore/image": {"GET": Role.read, "HEAD": Role.read, "PUT": Role.train, "DELETE": Role.admin},
    "/datastore/image/info": {"GET": Role.read, "PUT": Role.train},
    "/datastore/label": {"GET": Role.read, "HEAD": Role.read, "PUT": Role.infer, "DELETE": Role.admin},
    "/datastore/label/info": {"GET": Role.read, "PUT": Role.infer},
    "/datastore/updatelabelinfo": {"PUT": Role.infer},
    "/datastore/dataset": {"GET": Role.train},
    "/proxy/dicom/wado/{path:path}": {"GET": Role.read, "POST": Role.admin},
    "/proxy/dicom/qido/{path:path}": {"GET": Role.read, "POST": Role.admin},
    # Stores, with the server's credentials, in the hospital's archive.
    "/proxy/dicom/stow/{path:path}": {"GET": Role.admin, "POST": Role.admin},
    "/proxy/dicom/{path:path}": {"GET": Role.read, "POST": Role.admin},
    "/model/{model}": {"GET": Role.admin, "PUT": Role.admin, "DELETE": Role.admin},
    "/model/info/{model}": {"GET": Role.read},
    "/logs/": {"GET": Role.admin},
    "/logs/gpu": {"GET": Role.admin},
    "/reload": {"POST": Role.admin},
}
"""Route, as registered, to method to least role. What is not here is for `admin` only."""


@cache
def _patterns() -> list[tuple[re.Pattern, str, dict[str, Role | None]]]:
    # Imported late, as tokens can be made where no server is installed.
    from starlette.routing import compile_path

    return [(compile_path(route)[0], route, methods) for route, methods in ROUTES.items()]


def least_role(method: str, path: str) -> tuple[Role | None, str]:
    """The role that a request needs, and the route it goes to.

    Where several routes fit, the most demanding counts. A path without its slash at the end, or with one too many, is
    answered by a redirection, which needs the role of its target.

    Args:
        method: as in the request line.
        path: decoded, without the prefix that a proxy adds.

    Returns:
        The role, or `OPEN`; and the route as registered, or `"?"` for an unknown one.
    """
    for candidate in (path, path.removesuffix("/") if path.endswith("/") else f"{path}/"):
        fitting = [(route, methods) for pattern, route, methods in _patterns() if pattern.fullmatch(candidate)]
        known = [(route, methods[method]) for route, methods in fitting if method in methods]
        if known:
            route, role = max(known, key=lambda entry: (entry[1] or 0, entry[0].count("/")))
            return role, route
        if fitting:
            return Role.admin, fitting[0][0]
    return Role.admin, "?"
