"""The start of a result's frame when the page around it supplies the libraries.

A sandboxed frame has an opaque origin, whose cache is discarded with the frame: it would load its libraries anew each
time. The surrounding page has a lasting cache. So the frame names its libraries, the page fetches them and hands over
their bytes, and the frame rewrites itself with its own `blob:` addresses instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.html import escape

if TYPE_CHECKING:
    from django.http import QueryDict

PARAMETER: Final = "libraries"
FROM_PARENT: Final = "parent"

# Browsers treat everything after `<plaintext>` as text, including their preload scanners. The script writes the page
# from that text. A browser without scripts is redirected to the unmodified page.
_START: Final = """<!doctype html><noscript><meta http-equiv="refresh" content="0;url={address}"></noscript><script>
{
  document.documentElement.style.colorScheme = "light dark";
  const address = /\\/assets\\/[0-9a-f]{64}\\.(?:js|css)(?=["'\\\\ >])/g;
  const read = () => document.querySelector("plaintext").textContent;
  const write = (page, urls) => {
    document.open();
    document.write(page.replace(address, (name) => urls[name] ?? name));
    document.close();
  };
  addEventListener("DOMContentLoaded", () => {
    const page = read(), names = [...new Set(page.match(address))];
    const ask = () => parent.postMessage({ vizportalLibraries: names }, "*");
    addEventListener("message", (event) => {
      if (event.source !== parent) return;
      if (event.data?.vizportalAsk === "libraries") ask();
      const given = event.data?.vizportalGiven;
      if (!Array.isArray(given)) return;
      write(page, Object.fromEntries(given.map(([name, file]) => [name, URL.createObjectURL(file)])));
    });
    if (names.length && parent !== window) ask();
    else write(page, {});
  });
}
</script><plaintext hidden>"""


def start(query: QueryDict) -> bytes:
    """Returns the HTML that precedes the page.

    Args:
        query: the request's; without `libraries`, it leads to the unmodified page.
    """
    rest = query.copy()
    rest.pop(PARAMETER, None)
    return _START.replace("{address}", escape(f"?{rest.urlencode()}")).encode()
