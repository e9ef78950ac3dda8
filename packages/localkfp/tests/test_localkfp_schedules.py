"""Recurring runs: the API that kfp.Client uses, and the times at which runs are due."""

from datetime import UTC, datetime

import pytest
from localkfp import recurring_api
from localkfp.schedules import Schedules, cron_fields, due_time, next_time
from localkfp.store import now

from packages.localkfp.tests.conftest import assert_error, spec


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def schedule(**values):
    """Returns a row of the schedules table."""
    row = {"cron": "", "interval_s": 60, "starts_at": None, "ends_at": None, "no_catchup": 0, "last_at": None}
    return {**row, "created_at": moment("2026-03-01 12:00:30"), **values}


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("0 0 * * * *", "2026-03-01 13:00:00"),
        ("*/10 * * * * *", "2026-03-01 12:00:40"),
        ("5 * * * *", "2026-03-01 12:05:00"),
        ("0 30 4 * * 1", "2026-03-02 04:30:00"),
        ("@daily", "2026-03-02 00:00:00"),
        ("0 0 0 1 1 ?", "2027-01-01 00:00:00"),
    ],
)
def test_cron_expressions_may_start_with_seconds(expression, following):
    row = schedule(cron=expression)
    assert datetime.fromtimestamp(next_time(row, row["created_at"]), UTC) == datetime.fromtimestamp(
        moment(following), UTC
    )


@pytest.mark.parametrize("expression", ["", "* * *", "61 * * * * *", "every minute", "0 0 0 0 0 0 0"])
def test_invalid_cron_expression_has_no_fields(expression):
    assert cron_fields(expression) == ""


def test_missed_times_are_caught_up_unless_no_catchup_is_set():
    at = moment("2026-03-01 12:05:00")
    assert due_time(schedule(), at) == moment("2026-03-01 12:01:30")
    assert due_time(schedule(no_catchup=1), at) == moment("2026-03-01 12:04:30")
    assert due_time(schedule(last_at=moment("2026-03-01 12:04:30")), at) is None


def test_schedule_starts_and_ends_at_its_times():
    row = schedule(starts_at=moment("2026-03-02 00:00:00"), ends_at=moment("2026-03-02 00:01:30"))
    assert due_time(row, moment("2026-03-01 23:59:59")) is None
    assert due_time(row, moment("2026-03-02 00:00:00")) == row["starts_at"]
    assert due_time({**row, "last_at": row["starts_at"]}, moment("2026-03-02 00:01:00")) == row["starts_at"] + 60
    assert due_time({**row, "last_at": row["starts_at"] + 60}, moment("2026-03-03 00:00:00")) is None


def make(server, **body):
    body = {"display_name": "nightly", "pipeline_spec": spec(), "mode": "ENABLE", **body}
    return server.post("/recurringruns", {"trigger": {"periodic_schedule": {"interval_second": "3600"}}, **body})


def test_schedule_is_created_listed_disabled_enabled_and_deleted(server):
    made = make(server).json()
    assert made["status"] == "ENABLED"
    assert made["trigger"] == {"periodic_schedule": {"interval_second": "3600"}}
    path = f"/recurringruns/{made['recurring_run_id']}"
    assert server.get(path).json() == made
    assert [each["display_name"] for each in server.get("/recurringruns").json()["recurringRuns"]] == ["nightly"]
    assert server.post(f"{path}:disable").json() == {}
    assert server.get(path).json()["status"] == "DISABLED"
    assert server.post(f"{path}:enable").status_code == 200
    assert server.get(path).json()["status"] == "ENABLED"
    assert server.delete(path).status_code == 200
    assert_error(server.get(path), 404, "not found")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"trigger": {"cron_schedule": {"cron": "@daily"}, "periodic_schedule": {"interval_second": "9"}}},
            "not both",
        ),
        ({"trigger": {"cron_schedule": {"cron": "soon"}}}, "not a cron expression"),
        ({"trigger": {"periodic_schedule": {"interval_second": "0"}}}, "positive"),
        ({"trigger": {"periodic_schedule": {"interval_second": "9", "start_time": "then"}}}, "not a time"),
        ({"mode": "SOMETIMES"}, "ENABLE or DISABLE"),
        ({"max_concurrency": "11"}, "1 to 10"),
        ({"pipeline_spec": None}, "neither"),
        ({"runtime_config": {"parameters": {"x": 1}}}, "no parameter"),
    ],
)
def test_schedule_that_can_never_run_is_refused(server, body, said):
    assert_error(make(server, **body), 400, said)
    assert server.get("/recurringruns").json() == {}


def test_due_runs_start_once_each_up_to_max_concurrency(server):
    made = make(server, max_concurrency="2", trigger={"periodic_schedule": {"interval_second": "10"}}).json()
    recurring_id, at = made["recurring_run_id"], now()
    schedules = Schedules(server.store, lambda row, due: recurring_api.start_run(server.store, row, due))
    assert schedules.run_due(at) > 0
    assert server.get("/runs").json() == {}
    for _ in range(4):
        schedules.run_due(at + 35)
    found = server.get("/runs").json()["runs"]
    assert [run["recurring_run_id"] for run in found] == [recurring_id] * 2, "two of three: the third waits for an end"
    server.post(f"/runs/{found[0]['run_id']}:terminate")
    schedules.run_due(at + 35)
    schedules.run_due(at + 35)
    assert server.get("/runs").json()["total_size"] == 3
    named = {"predicates": [{"operation": "EQUALS", "key": "recurring_run_id", "string_value": recurring_id}]}
    import json

    assert server.get("/runs", filter=json.dumps(named)).json()["total_size"] == 3


def test_schedule_of_a_deleted_pipeline_reports_it_and_others_continue(server):
    pipeline = server.upload(name="going").json()
    reference = {"pipeline_id": pipeline["pipeline_id"]}
    gone = make(server, pipeline_spec=None, pipeline_version_reference=reference).json()
    make(server)
    server.call("DELETE", f"/apis/v2beta1/pipelines/{pipeline['pipeline_id']}", params={"cascade": "true"})
    schedules = Schedules(server.store, lambda row, due: recurring_api.start_run(server.store, row, due))
    schedules.run_due(now() + 3601)
    assert "not found" in server.get(f"/recurringruns/{gone['recurring_run_id']}").json()["error"]["message"]
    assert server.get("/runs").json()["total_size"] == 1


@pytest.mark.slow
def test_schedule_created_with_kfp_client_starts_runs(client):
    experiment = client.create_experiment("scheduled")
    pipeline_id = client.upload_pipeline_from_pipeline_func(_nothing(), pipeline_name="often").pipeline_id
    (version,) = client.list_pipeline_versions(pipeline_id).pipeline_versions
    made = client.create_recurring_run(
        experiment_id=experiment.experiment_id,
        job_name="often",
        pipeline_id=pipeline_id,
        version_id=version.pipeline_version_id,
        interval_second=1,
        max_concurrency=1,
    )
    from tests.waiting import wait_until

    def runs():
        found = client.list_runs(experiment_id=experiment.experiment_id).runs or []
        return [run for run in found if run.recurring_run_id == made.recurring_run_id and run.state == "SUCCEEDED"]

    wait_until(lambda: len(runs()) >= 2, 60, "two runs of the schedule")
    client.disable_recurring_run(made.recurring_run_id)
    (listed,) = client.list_recurring_runs(experiment_id=experiment.experiment_id).recurring_runs
    assert listed.status == "DISABLED"
    client.delete_recurring_run(made.recurring_run_id)


def _nothing():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from kfp import dsl
        from running import check

        @dsl.pipeline(name="often")
        def often():
            check(total=1, wanted=1)

        return often
