"""Words that the glossary replaced are not used in code, templates and documents."""

import re
import subprocess

import pytest

from tests.environments import ROOT

# Each old word and the standard term that replaced it.
REPLACED = {
    r"keepers?": "supervisor",
    r"brood": "ForkPool",
    r"hot ?pages?": "prefault",
    r"spares": "idle children",
    r"verdicts?": "exit status",
    r"tall(y|ies)": "counter, histogram",
    r"observing": "telemetry",
    r"upkeep": "reconcile",
    r"withdrawals?": "cancel",
    r"intake": "download",
    r"worker_watch": "telemetry.worker",
    r"RenderOrder": "RenderSpec, RenderJob",
    r"lodgers?": "guest",
    r"herd": "load",
    r"doors?": "authentication, API, interface",
    r"closes? the books|whose books": "records",
}
# Keys in the queue server, which different running versions share.
KEPT = ("vizportal:tallies", "vizportal:tally")
PLACES = (
    "apps/**/*.py",
    "vizportal/**/*.py",
    "packages/*/src/**/*.py",
    "templates/**/*.html",
    "docs/*.md",
    "README.md",
)


def product_files():
    patterns = [f":(glob){place}" for place in PLACES]
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split() if "/migrations/" not in name]


def uses(pattern, text):
    for kept in KEPT:
        text = text.replace(kept, "")
    # Parts of a name count as uses: `keeper_pid`, `_tally`.
    return re.findall(rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])", text, re.IGNORECASE)


@pytest.mark.parametrize("pattern", REPLACED)
def test_replaced_word_is_not_used(pattern):
    found = {
        str(path.relative_to(ROOT)): words for path in product_files() if (words := uses(pattern, path.read_text()))
    }
    assert not found, f"use {REPLACED[pattern]}"


def test_files_and_words_are_found():
    assert len(product_files()) > 400
    assert uses("keepers?", "self._keeper_pid = KEEPER") == ["keeper", "KEEPER"]
    assert uses("doors?", "indoors, outdoor") == []
