"""The committed pages about types are those that the command writes."""

import re

import pytest
from django.core.management import call_command
from vizkit.types import docs, registry

from vizportal.settings import BASE_DIR

FOLDER = BASE_DIR / "docs" / "types"
PICTURES = BASE_DIR / "docs" / "images" / "types"


def test_committed_pages_are_up_to_date():
    made = docs.pages(registry.types().values())
    assert sorted(made) == sorted(path.name for path in FOLDER.iterdir()), "run: manage.py types --docs docs/types"
    for name, text in made.items():
        assert (FOLDER / name).read_text() == text, f"{name}: run: manage.py types --docs docs/types"


def test_every_type_has_a_small_picture():
    found = {path.stem: path for path in PICTURES.glob("*.png")}
    assert sorted(found) == sorted(registry.types()), "run: python -m packages.vizkit.tests.pictures"
    for path in found.values():
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size <= 80_000, path.name


@pytest.mark.parametrize("key", registry.types())
def test_links_of_a_page_are_not_broken(key):
    for target in re.findall(r"\]\(([^)#]+)\)", (FOLDER / f"{key}.md").read_text()):
        assert target.startswith("https://") or (FOLDER / target).resolve().exists(), target


@pytest.mark.parametrize("key", sorted(set(registry.types()) - {"custom"}))
def test_every_type_says_what_it_reads_and_shows(key):
    assert len(docs.docstring(registry.get(key)).split()) > 30


@pytest.mark.django_db
def test_command_writes_own_types_and_removes_old_pages(tmp_path, settings):
    types, pages = tmp_path / "types", tmp_path / "pages"
    types.mkdir()
    pages.mkdir()
    (pages / "old.md").write_text("old")
    (types / "mine.py").write_text('"""Does | this.\n\nAnd that."""\nprint(source)')
    settings.VIZPORTAL_TYPES_DIRS = [types]
    call_command("types", docs=pages)
    assert not (pages / "old.md").exists()
    assert "Any arguments. The code reads them from `variables`." in (pages / "mine.md").read_text()
    assert "| [Mine](mine.md) | `mine` | Does \\| this. |" in (pages / "README.md").read_text()
