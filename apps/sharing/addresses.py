"""The address of a link, and the HTML that embeds it in another site's page."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import escape

from apps.sharing.models import Share

# The page posts its height as results do; the script is for pages that allow scripts.
_SNIPPET = """<iframe src="{}" title="{}" loading="lazy" width="100%" height="600" style="border: 0"></iframe>
<script>
  addEventListener("message", ({{ source, data }}) => {{
    const frame = [...document.querySelectorAll("iframe")].find((each) => each.contentWindow === source);
    const height = Number(data?.vizportalHeight);
    if (frame && height > 0) frame.height = Math.min(20000, Math.ceil(height));
  }});
</script>"""


def share_address(request: HttpRequest, token: str) -> str:
    """Returns the absolute URL of a link."""
    return request.build_absolute_uri(reverse("sharing:shared", args=[token]))


def embed_snippet(link: str, share: Share) -> str:
    """Returns HTML that embeds a link in another site's page."""
    # Not marked as safe, because the portal's own pages show it as text.
    return _SNIPPET.format(escape(link), escape(share.title))
