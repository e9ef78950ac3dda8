"""Templates are readable: short lines, few include levels, and no partial with a single user without a reason."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "templates"
TEMPLATES = {str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8") for path in sorted(FOLDER.rglob("*.html"))}
LONGEST_LINE = 160
DEEPEST = 4
# Templates that an expression includes instead of a name.
CHOSEN = {"preview.template": [name for name in TEMPLATES if re.fullmatch(r"runs/previews/[a-z]\w*\.html", name)]}
# Partials with one user, and why each is a separate file.
ONE_USER = {
    "promotion/_actions.html": "the buttons of a proposal, which its state decides",
    "promotion/_approved.html": "a part of the visualization's page that belongs to promotion",
    "promotion/_button.html": "a part of the visualization's page that belongs to promotion",
    "promotion/_facts.html": "a part of the proposal's page, as long as the page",
    "promotion/_review.html": "the form of the reviewer, as long as the page",
    "promotion/_sample.html": "a part of the proposal's page, as long as the page",
    "promotion/_versions.html": "a table beside the page's others",
    "queues/_environment.html": "a part of the page that repeats",
    "queues/_pause.html": "a part of the page that repeats",
    "queues/_row.html": "a part of the list that repeats",
    "reports/_block.html": "a part of the form that repeats, with the form's fields",
    "reports/_result.html": "a part of the report that repeats",
    "rules/_button.html": "a part of the visualization's page that belongs to rules",
    "runs/_chip.html": "a part of the list that repeats",
    "runs/_graph_artifact.html": "one shape of the graph",
    "runs/_graph_buttons.html": "one shape of the graph",
    "runs/_graph_step.html": "one shape of the graph",
    "runs/_graph_task.html": "one shape of the graph",
    "runs/_log.html": "one of the panel's tabs, as long as the panel",
    "runs/_saved_filters.html": "a menu with two forms beside the form of the filters",
    "runs/_timeline.html": "one of the run page's views, as long as the page",
}


def included(name):
    for quoted, expression in re.findall(r'\{% include (?:"([^"]+)"|([\w.]+))', TEMPLATES[name]):
        yield from [quoted] if quoted else CHOSEN[expression]


@cache
def depth(name):
    return max((1 + depth(part) for part in included(name) if part in TEMPLATES), default=0)


def test_no_line_is_longer_than_160_characters():
    long = [
        f"{name}:{number}: {len(line)}"
        for name, text in TEMPLATES.items()
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
    assert long == []


def test_includes_are_at_most_four_deep():
    assert {name: depth(name) for name in TEMPLATES if depth(name) > DEEPEST} == {}


def test_partial_has_several_users_or_a_reason():
    code = "".join(
        path.read_text(encoding="utf-8") for folder in ("apps", "vizportal") for path in (ROOT / folder).rglob("*.py")
    )
    users = Counter(part for name in TEMPLATES for part in included(name))
    alone = {name for name in TEMPLATES if users[name] == 1 and Path(name).name.startswith("_") and name not in code}
    assert alone == set(ONE_USER)
