"""The images' health check: `python alive.py URL` ends with 0 where the process at URL answers, else with 1.

It names a host that the portal answers to, and brings localkfp's token where there is one.
"""

import os
import sys
import urllib.request
from pathlib import Path


def main(url: str) -> int:
    """Asks once, past any proxy; returns the exit code."""
    request = urllib.request.Request(url)  # noqa: S310  (the image names it)
    host = os.environ.get("VIZPORTAL_ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".")
    if host not in {"", "*"}:
        request.add_header("Host", host)
    token_file = os.environ.get("VIZPORTAL_LOCALKFP_TOKEN_FILE")
    token = Path(token_file).read_text().strip() if token_file else os.environ.get("VIZPORTAL_LOCALKFP_TOKEN")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=4):
            return 0
    except OSError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
