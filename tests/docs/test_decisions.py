"""Decision records have the same form: a numbered title, then status, date and alternatives."""

import datetime as dt
import re
from pathlib import Path

import pytest
from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("*.md"))
FORM = re.compile(
    r"# (?P<number>\d+)\. (?P<title>\S.+)\n\n"
    r"- Status: (?P<status>proposed|accepted|superseded)\b.*\n(?:  .*\n)*"
    r"- Date: (?P<date>\d{4}-\d\d-\d\d)\n"
    r"- Alternatives: \S.*\n(?:  .*\n)*\n\S"
)


def test_records_are_numbered_without_gaps():
    numbers = [int(path.name.split("-", 1)[0]) for path in RECORDS]
    assert numbers == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_record_has_title_status_date_and_alternatives(path):
    found = FORM.match(path.read_text())
    assert found, "the form of docs/decisions: title, Status, Date, Alternatives, blank line, text"
    assert int(found["number"]) == int(path.name.split("-", 1)[0])
    assert dt.date.fromisoformat(found["date"]) >= dt.date(2026, 11, 23)


def test_every_document_is_in_the_sites_navigation():
    navigation = (FOLDER.parents[1] / "mkdocs.yml").read_text()
    documents = [str(path.relative_to(FOLDER.parent)) for path in FOLDER.parent.rglob("*.md")]
    assert [name for name in documents if not re.search(rf"[ :]{re.escape(name)}$", navigation, re.MULTILINE)] == []
