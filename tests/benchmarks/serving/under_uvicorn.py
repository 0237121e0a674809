"""Serving a Python peer as crmkit serves: one uvicorn worker with what makes it fast."""

from typing import Any

import uvicorn


def serve(app: Any, port: int) -> None:
    """Serve on this machine until stopped; uvloop and httptools are used where installed."""
    uvicorn.run(
        app, host="127.0.0.1", port=port, lifespan="off", access_log=False, log_level="warning",
        server_header=False, proxy_headers=False, ws="none",
    )  # fmt: skip
