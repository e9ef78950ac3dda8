"""Files that try to break the portal or to pass for another type."""

import json

import pytest

from apps.promotion import files, services
from apps.promotion.guessing import arguments_guess
from apps.visualizations.exceptions import InvalidRequestError
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)


def typed(more="", code="display(1)", **changes):
    fields = {"key": "x_type", "title": "X", "description": "x", **changes}
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    header = "\n".join(f"# {line}" for line in [*lines, *more.splitlines()])
    return f"# /// script\n# [tool.vizportal]\n{header}\n# ///\n{code}\n"


ARGUMENT = "[tool.vizportal.arguments.a]\n"


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ("", "file"),
        ("print(1)", "file"),
        (typed(key="custom"), "key"),
        (typed(key="CUSTOM"), "file"),
        (typed(key="../x"), "file"),
        (typed(code=""), "code"),
        (typed(code="x" * 200_001), "code"),
        (typed(code="x\n" * 5001), "code"),
        (typed(code="\0"), "code"),
        (typed(code="\ud800"), "code"),
        (typed(code="# /// a\n#\n" * 20_000), "code"),
        (typed() + typed(), "file"),
        (typed("# pad " + "x" * 20_000), "file"),
        (typed("a = " + "[" * 5000), "file"),
        ("# /// script\n# tool = 1\n# ///\n1", "file"),
        ("# /// script\n# [tool]\n# vizportal = 1\n# ///\n1", "file"),
        (typed("kernel = 'ir'"), "file"),
        (typed("reads_results = true"), "file"),
        (typed("surprise = 1"), "file"),
        (typed(patterns=["*"]), "patterns"),
        (typed(patterns=["*.*"]), "patterns"),
        (typed(patterns=["[!A]*"]), "patterns"),
        (typed(patterns=["?*"]), "patterns"),
        (typed(patterns=["*.csv"] * 21), "patterns"),
        (typed(patterns=["*a" * 60]), "patterns"),
        (typed(artifact_types=["system.Dataset"] * 21), "artifact_types"),
        (typed(required=["missing"]), "required"),
        (typed(ARGUMENT + "type = 'string'\npattern = '(a+)+$'"), "arguments"),
        (typed(ARGUMENT + "type = 'string'\n'$ref' = 'http://127.0.0.1:9/x'"), "arguments"),
        (typed(ARGUMENT + "type = 'string'\nallOf = []"), "arguments"),
        (typed(ARGUMENT + "type = 'integer'\ndefault = 'x'"), "arguments"),
        (typed(ARGUMENT + "type = 'number'\ndefault = nan"), "arguments"),
        (typed(ARGUMENT + "type = 'string'\ndefault = 2020-01-01"), "arguments"),
        (typed(ARGUMENT + "type = 'integer'\ndefault = " + "9" * 5000), "file"),
        (typed(ARGUMENT + "type = 'object'"), "arguments"),
        (typed("[tool.vizportal.arguments.'a b']\ntype = 'string'"), "arguments"),
        (typed("\n".join(f"[tool.vizportal.arguments.a{n}]\ntype = 'string'" for n in range(41))), "arguments"),
    ],
)
def test_refused_file_names_the_field(file, field, sample, owner):
    with pytest.raises(InvalidRequestError) as refused:
        services.proposal_create(caller(owner), sample, file)
    assert list(refused.value.fields) == [field]
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize("key", ["table", "roc_curve", "comparison"])
def test_key_of_a_predefined_type_is_taken(key, sample, owner, settings, tmp_path):
    with pytest.raises(InvalidRequestError, match="already"):
        services.proposal_create(caller(owner), sample, typed(key=key))


def test_key_of_a_type_in_a_folder_is_taken(sample, owner, settings, tmp_path):
    (tmp_path / "mine.py").write_text(typed(key="mine"))
    settings.VIZPORTAL_TYPES_DIRS = [tmp_path]
    with pytest.raises(InvalidRequestError, match="already"):
        services.proposal_create(caller(owner), sample, typed(key="mine"))


def test_unknown_environment_is_refused(sample, owner):
    with pytest.raises(InvalidRequestError) as refused:
        services.proposal_create(caller(owner), sample, typed(environment="mars"))
    assert list(refused.value.fields) == ["environment"]


def test_guessing_arguments_runs_no_code(tmp_path):
    mark = tmp_path / "ran"
    code = f'open({str(mark)!r}, "w")\nvariables.get("a", open({str(mark)!r}, "w"))\nvariables["b"]'
    assert arguments_guess(code, {}) == (
        {"a": {"title": "A", "type": "string"}, "b": {"title": "B", "type": "string"}},
        ("b",),
    )
    assert not mark.exists()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('variables.get("a", -1.5)', {"type": "number", "default": -1.5}),
        ('variables.get("a", True)', {"type": "boolean", "default": True}),
        ('variables.get("a", ["x", "y"])', {"type": "array", "items": {"type": "string"}, "default": ["x", "y"]}),
        ('variables.get("a", None)', {"type": "string"}),
        ('variables.get("a", 1e999)', {"type": "string"}),
        ('variables.get("a", b"x")', {"type": "string"}),
        ('variables.get("a", {"x": 1})', {"type": "string"}),
        ('variables["a"]; variables.get("a", 3)', {"type": "integer", "default": 3}),
    ],
)
def test_only_literal_defaults_are_kept(code, found):
    arguments, required = arguments_guess(code, {})
    assert arguments == {"a": {"title": "A", **found}}
    assert required == (("a",) if "default" not in found and "[" in code.split(".get")[0] else ())


def test_unreadable_code_has_no_arguments_and_their_number_is_limited():
    for code in (
        "%matplotlib inline",
        "(" * 10_000,
        "x = ",
        "variables[1]; variables[name]; other['a']",
        'variables["a b"]',
    ):
        assert arguments_guess(code, {}) == ({}, ())
    many = "\n".join(f'variables["a{number}"]' for number in range(500))
    assert len(arguments_guess(many, {})[0]) == files.MOST_ARGUMENTS


@pytest.mark.parametrize("text", ['quote " \\ \n tab \t del \x7f ünï 🙂 {# {%', "'''", "# ///"])
def test_any_text_survives_in_the_header(text):
    draft = files.TypeDraft(
        key="x",
        title="X",
        description=text[:400],
        arguments={"a": {"type": "string", "default": text, "enum": [text, "y"]}},
        code="1",
    )
    found = files.draft_of(files.file_write(draft))
    assert (found.description, found.arguments) == (text, draft.arguments)
