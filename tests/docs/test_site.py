"""`make docs` builds a site whose pages load no external resources and have no broken links."""

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "video": "src"}
# `url(...)` and `@import "..."` with an address that is not a relative path or data.
OUTSIDE_CSS = re.compile(r"""(?:url\(|@import)\s*["']?(?:https?:)?//""")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site():
    folder = ROOT / "build" / "site"
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(["make", "docs"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {path: BeautifulSoup(path.read_text(), "html.parser") for path in sorted(folder.rglob("*.html"))}
    assert len(pages) > len(list((ROOT / "docs").glob("*.md")))
    return folder, pages


def test_every_document_is_a_page(site):
    folder, _ = site
    for path in (ROOT / "docs").rglob("*.md"):
        name = path.relative_to(ROOT / "docs").with_suffix(".html")
        assert (folder / name).is_file() or (
            name.stem == "README" and (folder / name.with_name("index.html")).is_file()
        )


def test_no_page_loads_external_resources(site):
    folder, pages = site
    for path, page in pages.items():
        for element in page.find_all(list(LOADED)):
            address = element.get(LOADED[element.name], "")
            # A canonical link loads nothing.
            if element.name == "link" and "canonical" in element.get("rel", []):
                continue
            assert not urlsplit(address).netloc, f"{path.name}: {element}"
    for path in folder.rglob("*.css"):
        assert not OUTSIDE_CSS.search(path.read_text()), path.name


def test_links_between_pages_are_not_broken(site):
    folder, pages = site
    anchors = {path: {element["id"] for element in page.find_all(id=True)} for path, page in pages.items()}
    checked = 0
    for path, page in pages.items():
        for link in page.find_all("a", href=True):
            address = urlsplit(link["href"])
            if address.scheme or address.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path.relative_to(folder)} links to {link['href']}"
            if address.fragment and target in anchors:
                assert unquote(address.fragment) in {*anchors[target], "__toc"}, f"{path.name}: {link['href']}"
            checked += 1
    assert checked > 500


def test_pages_opened_as_files_can_load_the_search_index(site):
    folder, pages = site
    assert "Threat model" in (folder / "search" / "search_index.js").read_text()
    scripts = [element.get("src") for element in pages[folder / "index.html"].find_all("script", src=True)]
    assert "javascripts/iframe-worker.js" in scripts
