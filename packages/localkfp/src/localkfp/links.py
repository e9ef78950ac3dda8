"""`GET /`: redirects the links that kfp.Client prints to the portal's pages.

kfp.Client prints `<host>/#/runs/details/<id>`. Browsers do not send the part after `#`, so a script reads it.
"""

from __future__ import annotations

import json
from html import escape
from typing import Final

from starlette.responses import HTMLResponse

# Kubeflow's own paths, in order: frontend/src/components/Router.tsx.
_PAGES: Final = (
    (r"^/runs/details/([^/?]+)", "/runs/$1/"),
    (r"^/recurringrun/details/([^/?]+)", "/recurring/$1/"),
    (r"^/pipelines/details/([^/?]+)/version/([^/?]+)", "/pipelines/$1/versions/$2/"),
    (r"^/pipelines/details/([^/?]+)", "/pipelines/$1/"),
    (r"^/experiments/details/([^/?]+)", "/runs/?experiment=$1"),
    (r"^/experiments", "/experiments/"),
    (r"^/recurringruns", "/recurring/"),
    (r"^/pipelines", "/pipelines/"),
)
_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Embedded Kubeflow</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }}
:root {{ color-scheme: light dark }}</style>
<h1>Embedded Kubeflow</h1>
<p>This address answers requests of <code>kfp.Client</code> and of the portal. {words}</p>
<script>{script}</script>
</html>
"""
_SCRIPT: Final = """
const portal = {portal}, pages = {pages};
const asked = location.hash.slice(1);
let page = "/runs/";
for (const [pattern, target] of pages) {{
  const found = asked.match(new RegExp(pattern));
  if (found) {{
    page = target.replace(/\\$(\\d)/g, (_, number) => encodeURIComponent(decodeURIComponent(found[number])));
    break;
  }}
}}
location.replace(portal + page);
"""


def page(portal_url: str) -> HTMLResponse:
    """Returns the page.

    Args:
        portal_url: without a trailing slash; "" if this server runs without the portal.
    """
    if not portal_url:
        return HTMLResponse(_PAGE.format(words="It has no pages of its own.", script=""))
    script = _SCRIPT.format(portal=_js(portal_url), pages=_js(_PAGES))
    words = f'Its pages are in the portal: <a href="{escape(portal_url)}/runs/">{escape(portal_url)}</a>.'
    return HTMLResponse(_PAGE.format(words=words, script=script))


def _js(value: object) -> str:
    return json.dumps(value).replace("<", "\\u003c")
