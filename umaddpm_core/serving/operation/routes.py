"""The route that Prometheus asks."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder

router = APIRouter(tags=["Operation"])


@router.get("/metrics", summary="What the server counts, for Prometheus.")
def metrics(request: Request) -> Response:
    """In the text format, or OpenMetrics where that is asked for. Nothing in it says whose scans were examined."""
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(request.app.state.metrics.registry), media_type=media_type)
