"""Series: recipes, and the visualizations of many runs that share one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from apps.runs.exceptions import NotFoundError as RunsNotFoundError
from apps.visualizations import selectors
from apps.visualizations.exceptions import InvalidRequestError, NotAllowedError, NotFoundError
from apps.visualizations.models import Recipe, Visualization
from apps.visualizations.services import recipes, series
from apps.visualizations.services.again import render_again
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def runs(kubeflow, monkeypatch):
    """Makes the stand-in serve runs r1 to r9 of one pipeline, a day apart, each with its own artifacts."""
    first = kubeflow.details

    def details(run_id):
        if run_id not in {f"r{number}" for number in range(1, 10)}:
            raise RunsNotFoundError("no such run")
        step = first.steps[0]
        uris = [each.uri.replace("minio://b/", f"minio://b/{run_id}/") for each in step.artifacts]
        artifacts = tuple(replace(each, uri=uri) for each, uri in zip(step.artifacts, uris, strict=True))
        kubeflow.contents |= dict.fromkeys(uris, b"a\n1\n")
        created = datetime(2026, 3, int(run_id[1:]), tzinfo=UTC)
        run = replace(first.run, id=run_id, name=f"taxi {run_id}", created_at=created)
        return replace(first, run=run, steps=(replace(step, artifacts=artifacts),))

    monkeypatch.setattr(kubeflow, "run_details", details)
    return kubeflow


def test_same_request_for_other_run_joins_the_series(submit, runs, owner):
    one, two = submit(run_id="r1"), submit(run_id="r2")
    assert one.visualization.id != two.visualization.id
    assert one.visualization.recipe_id == two.visualization.recipe_id is not None
    found = selectors.series_list(caller(owner), one.visualization.recipe)
    assert [each.run_id for each in found] == ["r2", "r1"], "the newest run first"


@pytest.mark.parametrize(
    "change",
    [
        {"arguments": {"max_rows": 3}},
        {"artifact_name": "model"},
        {"type_key": "html"},
        {"is_sample": True},
        {"artifact_name": "", "source": "minio://b/r1/model/part.csv"},
        {"type_key": "custom", "code": "print(1)"},
    ],
)
def test_different_request_starts_another_series(submit, runs, settings, change):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    one, other = submit(run_id="r1"), submit(**{"run_id": "r1", **change})
    assert one.visualization.recipe_id != other.visualization.recipe_id


def test_title_and_time_limit_do_not_change_the_series(submit, runs):
    one, other = submit(run_id="r1"), submit(run_id="r2", title="Mine", options={"timeout_s": 7})
    assert one.visualization.recipe_id == other.visualization.recipe_id


def test_recipe_applies_code_and_source_part_to_other_run(submit, runs, owner, settings):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    made = submit(
        run_id="r1", artifact_name="", type_key="custom", code="print(source)", source="minio://b/r1/model/x/*.csv"
    )
    recipe = made.visualization.recipe
    assert recipe.part == "x/*.csv"
    again = series.recipe_apply(caller(owner), recipe, "r3", runs)
    assert again.render.source_uri == "minio://b/r3/model/x/*.csv"
    assert (again.render.code, again.visualization.run_id) == ("print(source)", "r3")
    assert again.visualization.recipe_id == recipe.id


def test_applying_recipe_twice_reuses_saved_result(submit, runs, owner, work):
    recipe = submit(run_id="r1").visualization.recipe
    made = series.recipe_apply(caller(owner), recipe, "r2", runs)
    work()
    again = series.recipe_apply(caller(owner), recipe, "r2", runs)
    assert (again.is_new, again.render.id) == (False, made.render.id)


def test_recipe_names_missing_step_or_artifact_of_run(submit, runs, owner):
    recipe = submit(run_id="r1").visualization.recipe
    Recipe.objects.filter(id=recipe.id).update(artifact_name="gone")
    recipe.refresh_from_db()
    with pytest.raises(RunsNotFoundError, match="no artifact 'gone'"):
        series.recipe_apply(caller(owner), recipe, "r2", runs)
    recipe.step_id = "gone"
    with pytest.raises(RunsNotFoundError, match="no step 'gone'"):
        series.recipe_apply(caller(owner), recipe, "r2", runs)


def test_rerender_with_other_arguments_moves_to_another_series(submit, runs, owner, work):
    made = submit(run_id="r1")
    work()
    render_again(caller(owner), made.visualization, arguments={"max_rows": 3})
    made.visualization.refresh_from_db()
    assert made.visualization.recipe.arguments["max_rows"] == 3
    assert made.visualization.recipe_id != submit(run_id="r2").visualization.recipe_id


def test_visualizations_without_recipe_get_one(submit, runs):
    one, two = submit(run_id="r1"), submit(run_id="r2")
    Visualization.objects.update(recipe=None)
    Recipe.objects.all().delete()
    assert recipes.recipes_fill(1) == 1
    assert recipes.recipes_fill(10) == 1
    assert recipes.recipes_fill(10) == 0
    kept = set(
        Visualization.objects.filter(id__in=[one.visualization.id, two.visualization.id]).values_list("recipe_id")
    )
    assert len(kept) == 1
    assert None not in next(iter(kept))


def test_owner_sets_and_clears_the_baseline(submit, runs, owner, reader):
    made = submit(run_id="r1").visualization
    series.baseline_set(caller(owner), made, is_baseline=True)
    assert Recipe.objects.get(id=made.recipe_id).baseline_id == made.id
    with pytest.raises(NotAllowedError):
        series.baseline_set(caller(reader), made, is_baseline=False)
    series.baseline_set(caller(owner), made, is_baseline=False)
    assert Recipe.objects.get(id=made.recipe_id).baseline_id is None
    made.recipe = None
    with pytest.raises(InvalidRequestError):
        series.baseline_set(caller(owner), made, is_baseline=True)


def test_api_paginates_a_series(submit, runs, owner, browser):
    made = [submit(run_id=f"r{number}").visualization for number in (1, 2, 3)]
    path = f"/api/v1/series/{made[0].recipe_id}"
    first = browser(owner).get(f"{path}?page_size=2").json()
    assert [each["run_id"] for each in first["items"]] == ["r3", "r2"]
    assert first["items"][0]["series_id"] == str(made[0].recipe_id)
    assert (first["type"], first["artifact"], first["step_id"]) == ("table", "predictions", "s1")
    last = browser(owner).get(f"{path}?page_size=2&page_token={first['next']}").json()
    assert ([each["run_id"] for each in last["items"]], last["next"]) == (["r1"], None)
    assert browser(owner).get(f"{path}?page_token=x").status_code == 400


def test_series_without_visible_visualizations_is_not_found(submit, runs, owner):
    with pytest.raises(NotFoundError):
        selectors.recipe_get(caller(owner), "00000000-0000-4000-8000-000000000000")
    recipe = submit(run_id="r1").visualization.recipe
    Visualization.objects.all().delete()
    with pytest.raises(NotFoundError):
        selectors.recipe_get(caller(owner), recipe.id)
