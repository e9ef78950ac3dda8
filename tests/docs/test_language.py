"""The documents have plain phrases and short lines, and the glossary has each word once."""

import re

import pytest

from tests.docs.collecting import ROOT

DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/*.md", "docs/decisions/*.md", "packages/*/README.md", ".github/**/*.md")
    for path in ROOT.glob(pattern)
)
MOST_CHARACTERS = 130
# Phrases that readers stumble over, and replacements. Single words are in tests/portal/test_terminology.py.
REPLACED = {
    r"a room for": "an app, a package",
    r"foreign": "of another library; untrusted",
    r"tells of|is told": "reports, says",
    r"stands? (?:above|below|behind|beside|in|there|with)": "is",
    r"for want of": "for lack of",
    r"whoever asks|(?<!person )who asks": "the caller, the person who asks",
}


def prose(name):
    """Yields (number, line) of every line outside code blocks."""
    is_code = False
    for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code:
            yield number, line


@pytest.mark.parametrize("name", DOCUMENTS, ids=str)
def test_phrases_are_plain(name):
    pattern = re.compile("|".join(rf"\b(?:{each})\b" for each in REPLACED), re.IGNORECASE)
    found = [f"{name}:{number}: {match[0]}" for number, line in prose(name) for match in pattern.finditer(line)]
    assert found == []


@pytest.mark.parametrize("name", DOCUMENTS, ids=str)
def test_lines_are_short(name):
    # Table rows and links cannot be broken.
    long = [
        f"{name}:{number}"
        for number, line in prose(name)
        if len(line) > MOST_CHARACTERS and not line.lstrip().startswith(("|", "!["))
    ]
    assert long == []


def test_glossary_has_each_word_once():
    words = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    words = [word for row in words for word in row.split(", ") if word not in {"word", "---"}]
    assert len(words) > 40
    assert sorted({word for word in words if words.count(word) > 1}) == []
