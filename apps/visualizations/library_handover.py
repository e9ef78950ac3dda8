"""What a result's frame begins with where the page around it hands over the libraries.

A sandboxed frame has an opaque origin, and with it a cache of its own that is forgotten with the frame: it would load
its libraries anew each time. The page around it has a cache that lasts. So the frame names them, the page fetches them
and hands over their bytes, and the frame writes the same page with `blob:` addresses of its own in their places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.html import escape

if TYPE_CHECKING:
    from django.http import QueryDict

PARAMETER: Final = "libraries"
FROM_PARENT: Final = "parent"

# All that follows `<plaintext>` is text to the browser, whatever it holds, also to the part that looks for what to load
# ahead. The page is written from that text. A browser without scripts goes to the address that has the page as it is.
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
    """Returns what comes before the page.

    Args:
        query: of the request; without `libraries` it is the address of the page as it is.
    """
    rest = query.copy()
    rest.pop(PARAMETER, None)
    return _START.replace("{address}", escape(f"?{rest.urlencode()}")).encode()
