"""The address of a link, and what a page of others embeds it with."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import escape

from apps.sharing.models import Share

# The page tells its height as results do; the second element is for pages that may have scripts.
_SNIPPET = """<iframe src="{}" title="{}" loading="lazy" width="100%" height="600" style="border: 0"></iframe>
<script>
  addEventListener("message", ({{ source, data }}) => {{
    const frame = [...document.querySelectorAll("iframe")].find((each) => each.contentWindow === source);
    const height = Number(data?.vizportalHeight);
    if (frame && height > 0) frame.height = Math.min(20000, Math.ceil(height));
  }});
</script>"""


def share_address(request: HttpRequest, token: str) -> str:
    """Returns the whole address of a link."""
    return request.build_absolute_uri(reverse("sharing:shared", args=[token]))


def embed_snippet(link: str, share: Share) -> str:
    """Returns HTML that shows a link in a page of others."""
    # Not marked as safe: the portal's own pages show it as text.
    return _SNIPPET.format(escape(link), escape(share.title))
