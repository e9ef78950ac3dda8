"""Who may do what: one row for each URL, API operation, listener route and command.

A row is (URL pattern, method, path, rule, status). `rule` says who has access, `status` what they get. The path refers
to the objects of one namespace (conftest.py). The tests request every row as six roles for two namespaces.
"""

from http import HTTPMethod

# ruff: noqa: E501
# A row is one line.

GET, POST, DELETE, PATCH = HTTPMethod.GET, HTTPMethod.POST, HTTPMethod.DELETE, HTTPMethod.PATCH

# What each role gets for an object in namespace A and for one in namespace B: "in", or how access is refused.
# Order: anonymous, viewer in A, member of A, member of B, administrator (no namespace), superuser (both).
RULES = {
    "everybody": (("in", "in"), ("in", "in"), ("in", "in"), ("in", "in"), ("in", "in"), ("in", "in")),
    "people": (("login", "login"), ("in", "in"), ("in", "in"), ("in", "in"), ("in", "in"), ("in", "in")),
    # An object of a namespace: 404 for callers who may not read the namespace.
    "readers": (("login", "login"), ("in", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in")),
    # A list of a namespace: Kubeflow refuses it, and the page says so.
    "listers": (("login", "login"), ("in", "403"), ("in", "403"), ("403", "in"), ("403", "403"), ("in", "in")),
    # A change in a namespace requires the permission to create and access to the namespace.
    "makers": (("login", "login"), ("403", "403"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in")),
    # The permission to create, without a namespace: Kubeflow shares pipelines.
    "creators": (("login", "login"), ("403", "403"), ("in", "in"), ("in", "in"), ("in", "in"), ("in", "in")),
    # The caller's own object, which members have in their namespace; pages return 404 for others.
    "owners": (("login", "login"), ("404", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in")),
    "owners by API": (("login", "login"), ("403", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in")),
    # A rule on a recipe: requires access to the series and the permission to create.
    "rule makers": (("login", "login"), ("403", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in")),
    # A namespace that the caller may not read is reported as a form error.
    "report makers": (("login", "login"), ("403", "403"), ("in", "422"), ("422", "in"), ("422", "422"), ("in", "in")),
    "report adders": (("login", "login"), ("403", "403"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in")),
    # A proposal is visible to its author, and to reviewers of any namespace.
    "proposals": (("login", "login"), ("404", "404"), ("in", "404"), ("404", "in"), ("in", "in"), ("in", "in")),
    "authors": (("login", "login"), ("404", "404"), ("in", "404"), ("404", "in"), ("403", "403"), ("403", "403")),
    "reviewers": (("login", "login"), ("404", "404"), ("403", "404"), ("404", "403"), ("in", "in"), ("in", "in")),
    # Only the owner of a visible result may propose its code.
    "proposers": (("login", "login"), ("403", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("403", "403")),
    # Objects that only their owner may use.
    "its person": (("login", "login"), ("404", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("404", "404")),
    # Kubeflow's visualization protocol: checks the permission to create first, then the namespace of the result.
    "kfp callers": (("login", "login"), ("403", "403"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in")),
    # The admin site redirects users who are not staff to its own sign-in page.
    "administrators": (("login", "login"),) + (("login", "login"),) * 3 + (("in", "in"), ("in", "in")),
    # Administrators, on the portal's own pages.
    "those who administer": (("login", "login"),) + (("403", "403"),) * 3 + (("in", "in"), ("in", "in")),
    "superusers": (("login", "login"),) + (("login", "login"),) * 3 + (("403", "403"), ("in", "in")),
    "nobody in the admin site": (("login", "login"),) + (("login", "login"),) * 3 + (("403", "403"), ("403", "403")),
    # As "makers", with a namespace named in the query: Kubeflow refuses it, and the page says so.
    "makers by list": (("login", "login"), ("403", "403"), ("in", "403"), ("403", "in"), ("403", "403"), ("in", "in")),
    # The form is shown again with the reason: a viewer sees a disabled Creator.
    "creator page": (("login", "login"), ("422", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in")),
    # Users who are already signed in are redirected.
    "admin login": (("in", "in"),) + (("in", "in"),) * 3 + (("302", "302"), ("302", "302")),
    # 404 for signed-in users; anonymous users must sign in first.
    "hidden people": (("login", "login"),) + (("404", "404"),) * 5,
    # 404 in the admin site.
    "hidden administrators": (("login", "login"),) * 4 + (("404", "404"),) * 2,
    "nobody": (("404", "404"),) * 6,
}
_RUN = "/runs/{run}/"
_STEP = _RUN + "steps/{step}/"
_ARTIFACT = _STEP + "artifacts/{artifact}/"
_ONE = "/visualizations/{visualization}/"
_SHARED = "/s/{token_of_share}/"
_REPORT = "/reports/{report}/"
_PROPOSAL = "/proposals/{proposal}/"
_RENDER = "/renders/{render}/"
FRAMED = {"Sec-Fetch-Dest": "iframe"}
ASK = {"run_id": "{run}", "step_id": "{step}", "artifact": "data", "type": "table", "force": True}

ALERT = {
    "series_id": "{recipe}",
    "condition": {"event": "render_failed"},
    "targets": [{"kind": "webhook", "address": "http://127.0.0.1:9/x"}],
}

# (pattern in the URL configuration, method, path, rule, status, POST data)
PAGES = [
    ("", GET, "/", "people", 302),
    ("favicon.ico", GET, "/favicon.ico", "everybody", 302),
    ("healthz", GET, "/healthz", "everybody", 200),
    ("readyz", GET, "/readyz", "everybody", 200),
    ("metrics", GET, "/metrics", "everybody", 200),
    ("design/", GET, "/design/", "people", 200),
    ("login/", GET, "/login/", "everybody", 200),
    ("login/", POST, "/login/", "everybody", 200),
    ("logout/", POST, "/logout/", "people", 302),
    ("signed-out/", GET, "/signed-out/", "everybody", 200),
    ("signed-in/", GET, "/signed-in/", "people", 200),
    ("account/sign-ins/", GET, "/account/sign-ins/", "people", 200),
    ("account/sign-ins/", POST, "/account/sign-ins/", "people", 302),
    ("oidc/start/", GET, "/oidc/start/", "nobody", 404),
    ("oidc/callback/", GET, "/oidc/callback/", "nobody", 404),
    ("^assets/(?P<sha256>[0-9a-f]{64})\\.(?P<kind>js|css)\\Z", GET, "/assets/" + "0" * 64 + ".js", "nobody", 404),
    ("events/", GET, "/events/?render={render}", "people", 204),
    # runs
    ("runs/", GET, "/runs/?namespace={namespace}", "listers", 200),
    ("runs/metrics", GET, "/runs/metrics?namespace={namespace}", "listers", 200),
    ("runs/selection", POST, "/runs/selection", "makers", 302, {"action": "tag", "tag": "x", "run": "{run}"}),
    ("runs/ask-again", POST, "/runs/ask-again", "people", 302),
    ("runs/undo", POST, "/runs/undo", "creators", 302),
    ("runs/filters/save", POST, "/runs/filters/save", "people", 302, {"name": "x", "query": "q=y"}),
    ("runs/filters/<int:filter_id>/delete", POST, "/runs/filters/{filter}/delete", "its person", 302),
    ("runs/new/", GET, "/runs/new/?namespace={namespace}&clone={run}", "makers", 200),
    ("runs/new/", POST, "/runs/new/?namespace={namespace}", "makers by list", 302, "new run"),
    ("runs/compare/", GET, "/runs/compare/?run={run}", "people", 200),
    ("runs/<str:run_id>/", GET, _RUN, "readers", 200),
    ("runs/<str:run_id>/tags", POST, _RUN + "tags", "makers", 302, {"tag": "x"}),
    ("runs/<str:run_id>/<slug:action>", POST, _RUN + "archive", "makers", 302),
    ("runs/<str:run_id>/steps/<str:step_id>/", GET, _STEP + "?tab=logs", "readers", 200),
    ("runs/<str:run_id>/steps/<str:step_id>/log", GET, _STEP + "log", "readers", 200),
    (
        "runs/<str:run_id>/steps/<str:step_id>/artifacts/<str:artifact_id>/media",
        GET,
        _STEP + "artifacts/21/media",
        "readers",
        200,
    ),
    (
        "runs/<str:run_id>/steps/<str:step_id>/artifacts/<str:artifact_id>/preview",
        GET,
        _ARTIFACT + "preview",
        "readers",
        200,
    ),
    (
        "runs/<str:run_id>/steps/<str:step_id>/artifacts/<str:artifact_id>/frame",
        GET,
        _RUN + "steps/evaluate/artifacts/4/frame",
        "readers",
        200,
    ),
    (
        "runs/<str:run_id>/steps/<str:step_id>/artifacts/<str:artifact_id>/viewers",
        GET,
        _STEP + "artifacts/20/viewers",
        "readers",
        200,
    ),
    (
        "runs/<str:run_id>/steps/<str:step_id>/artifacts/<str:artifact_id>/viewers/<int:number>/app",
        GET,
        _STEP + "artifacts/20/viewers/0/app",
        "readers",
        200,
    ),
    (
        "runs/<str:run_id>/steps/<str:step_id>/artifacts/<str:artifact_id>/files",
        GET,
        _ARTIFACT + "files",
        "readers",
        200,
    ),
    (
        "runs/<str:run_id>/steps/<str:step_id>/artifacts/<str:artifact_id>/download",
        GET,
        _ARTIFACT + "download",
        "readers",
        200,
    ),
    ("recurring/", GET, "/recurring/?namespace={namespace}", "listers", 200),
    ("recurring/<str:recurring_run_id>/", GET, "/recurring/{recurring}/?namespace={namespace}", "readers", 200),
    ("recurring/<str:recurring_run_id>/<slug:action>", POST, "/recurring/{recurring}/disable", "makers", 302),
    ("pipelines/", GET, "/pipelines/?namespace={namespace}", "people", 200),
    ("pipelines/upload", POST, "/pipelines/upload", "creators", 302, "pipeline"),
    ("pipelines/<str:pipeline_id>/", GET, "/pipelines/p1/", "people", 200),
    ("pipelines/<str:pipeline_id>/upload", POST, "/pipelines/p1/upload", "creators", 302, "version"),
    ("pipelines/<str:pipeline_id>/versions/<str:version_id>/", GET, "/pipelines/p1/versions/v1/", "people", 200),
    ("experiments/", GET, "/experiments/?namespace={namespace}", "listers", 200),
    # visualizations
    ("runs/<str:run_id>/visualizations/", GET, _RUN + "visualizations/", "people", 302),
    ("runs/<str:run_id>/steps/<str:step_id>/visualizations/", GET, _STEP + "visualizations/", "readers", 200),
    (
        "runs/<str:run_id>/steps/<str:step_id>/visualizations/",
        POST,
        _STEP + "visualizations/",
        "creator page",
        302,
        "creator",
    ),
    ("runs/<str:run_id>/steps/<str:step_id>/visualizations/form", GET, _STEP + "visualizations/form", "readers", 200),
    ("runs/<str:run_id>/steps/<str:step_id>/visualizations/words", GET, _STEP + "visualizations/words", "people", 200),
    ("types/<str:key>/code", GET, "/types/table/code", "people", 200),
    ("visualizations/", GET, "/visualizations/", "people", 200),
    ("visualizations/selection", POST, "/visualizations/selection", "people", 302, {"action": "tag", "value": "x"}),
    ("visualizations/restore", POST, "/visualizations/restore", "people", 302, {}),
    ("visualizations/compare/", GET, "/visualizations/compare/?v={visualization}", "people", 200),
    (
        "visualizations/compare/save",
        POST,
        "/visualizations/compare/save",
        "people",
        302,
        {"r": ["{render}", "{twin}"]},
    ),
    ("series/<uuid:series_id>/", GET, "/series/{recipe}/", "readers", 200),
    ("visualizations/<uuid:visualization_id>/", GET, _ONE, "readers", 200),
    ("visualizations/<uuid:visualization_id>/run/", GET, _ONE + "run/", "readers", 200),
    ("visualizations/<uuid:visualization_id>/note", POST, _ONE + "note", "owners", 302, {"title": "x"}),
    ("visualizations/<uuid:visualization_id>/again", POST, _ONE + "again", "owners", 302),
    ("visualizations/<uuid:visualization_id>/origin", GET, _ONE + "origin", "readers", 200),
    ("visualizations/<uuid:visualization_id>/delete", POST, _ONE + "delete", "owners", 302),
    ("visualizations/<uuid:visualization_id>/renders/<int:number>/", GET, _ONE + "renders/1/", "readers", 200),
    ("renders/<uuid:render_id>/fragment", GET, _RENDER + "fragment", "readers", 200),
    ("renders/<uuid:render_id>/cancel", POST, "/renders/{queued}/cancel", "owners", 302),
    ("renders/<uuid:render_id>/content", GET, _RENDER + "content", "readers", 200),
    ("renders/<uuid:render_id>/picture.svg", GET, _RENDER + "picture.svg", "readers", 200),
    ("renders/<uuid:render_id>/picture.png", GET, _RENDER + "picture.png", "readers", 200),
    ("renders/<uuid:render_id>/download.html", GET, _RENDER + "download.html", "readers", 200),
    ("renders/<uuid:render_id>/download.ipynb", GET, _RENDER + "download.ipynb", "readers", 200),
    # alerts
    ("alerts/", GET, "/alerts/", "people", 200),
    ("alerts/new/<uuid:recipe_id>/", GET, "/alerts/new/{recipe}/", "readers", 200),
    ("alerts/new/<uuid:recipe_id>/", POST, "/alerts/new/{recipe}/", "readers", 201, "alert"),
    ("alerts/<uuid:alert_id>/", GET, "/alerts/{alert}/", "owners", 200),
    ("alerts/<uuid:alert_id>/<slug:action>", POST, "/alerts/{alert}/pause", "owners", 302),
    # reports
    ("reports/", GET, "/reports/", "people", 200),
    ("reports/new/", GET, "/reports/new/?v={visualization}", "creators", 200),
    ("reports/new/", POST, "/reports/new/?namespace={namespace}", "report makers", 302, "report"),
    ("reports/add/", GET, "/reports/add/?v={visualization}", "creators", 200),
    ("reports/add/", POST, "/reports/add/", "report adders", 302, {"report": "{report}", "v": "{visualization}"}),
    ("reports/undelete", POST, "/reports/undelete", "people", 302, {}),
    ("reports/<uuid:report_id>/", GET, _REPORT, "readers", 200),
    ("reports/<uuid:report_id>/edit/", GET, _REPORT + "edit/", "owners", 200),
    ("reports/<uuid:report_id>/edit/", POST, _REPORT + "edit/", "owners", 302, "report"),
    ("reports/<uuid:report_id>/versions/", GET, _REPORT + "versions/", "readers", 200),
    ("reports/<uuid:report_id>/versions/compare/", GET, _REPORT + "versions/compare/?from=1&to=1", "readers", 200),
    ("reports/<uuid:report_id>/versions/<int:number>/", GET, _REPORT + "versions/1/", "readers", 200),
    ("reports/<uuid:report_id>/versions/<int:number>/restore", POST, _REPORT + "versions/1/restore", "owners", 302),
    ("reports/<uuid:report_id>/download.html", GET, _REPORT + "download.html", "readers", 200),
    ("reports/<uuid:report_id>/delete", POST, _REPORT + "delete", "owners", 302),
    # sharing; links are not anonymous here
    ("shares/", GET, "/shares/", "people", 200),
    ("shares/new/", GET, "/shares/new/?visualization={visualization}", "rule makers", 200),
    ("shares/new/", POST, "/shares/new/?report={report}", "rule makers", 200, {"days": "3"}),
    ("shares/<uuid:share_id>/<slug:action>", POST, "/shares/{share}/revoke", "owners", 302),
    ("s/<slug:token>/", GET, _SHARED, "readers", 200),
    ("s/<slug:token>/content", GET, _SHARED + "content", "readers", 200),
    ("s/<slug:token>/picture.svg", GET, _SHARED + "picture.svg", "readers", 200),
    ("s/<slug:token>/picture.png", GET, _SHARED + "picture.png", "readers", 200),
    # Only links to reports have blocks; this one leads to a render.
    ("s/<slug:token>/<int:position>/content", GET, _SHARED + "0/content", "hidden people", 404),
    ("s/<slug:token>/<int:position>/picture.svg", GET, _SHARED + "0/picture.svg", "hidden people", 404),
    ("s/<slug:token>/<int:position>/picture.png", GET, _SHARED + "0/picture.png", "hidden people", 404),
    # queue
    ("queue/", GET, "/queue/", "people", 200),
    ("queue/pause", POST, "/queue/pause", "those who administer", 302, {"environment": "base", "reason": "x"}),
    ("queue/resume", POST, "/queue/resume", "those who administer", 302, {"environment": "base"}),
    ("queue/statistics/", GET, "/queue/statistics/", "those who administer", 200),
    ("queue/<uuid:render_id>/cancel", POST, "/queue/{queued}/cancel", "owners", 302),
    # promotion
    ("proposals/", GET, "/proposals/", "people", 200),
    ("proposals/new/<uuid:render_id>/", GET, "/proposals/new/{sample}/", "proposers", 200),
    ("proposals/new/<uuid:render_id>/", POST, "/proposals/new/{sample}/", "proposers", 302, "proposal"),
    ("proposals/<uuid:proposal_id>/", GET, _PROPOSAL, "proposals", 200),
    ("proposals/<uuid:proposal_id>/edit/", GET, _PROPOSAL + "edit/", "authors", 200),
    ("proposals/<uuid:proposal_id>/edit/", POST, _PROPOSAL + "edit/", "authors", 302, "proposal"),
    (
        "proposals/<uuid:proposal_id>/versions/<int:number>/type.py",
        GET,
        _PROPOSAL + "versions/1/type.py",
        "proposals",
        200,
    ),
    ("proposals/<uuid:proposal_id>/<slug:action>", POST, _PROPOSAL + "withdraw", "authors", 302),
    ("proposals/<uuid:proposal_id>/<slug:action>", POST, _PROPOSAL + "approve", "reviewers", 302, {"version": "1"}),
    # rules
    ("rules/", GET, "/rules/", "people", 200),
    ("rules/new/<uuid:recipe_id>/", GET, "/rules/new/{recipe}/", "rule makers", 200),
    ("rules/new/<uuid:recipe_id>/", POST, "/rules/new/{recipe}/", "rule makers", 302, "rule"),
    ("rules/<uuid:rule_id>/", GET, "/rules/{rule}/", "owners", 200),
    ("rules/<uuid:rule_id>/apply", POST, "/rules/{rule}/apply", "owners", 302, {"last": "1", "action": "apply"}),
    ("rules/<uuid:rule_id>/<slug:action>", POST, "/rules/{rule}/pause", "owners", 302),
]

API = [
    ("api/v1/openapi.json", GET, "/api/v1/openapi.json", "everybody", 200),
    ("api/v1/docs", GET, "/api/v1/docs", "everybody", 200),
    ("api/v1/", GET, "/api/v1/", "nobody", 404),
    ("api/v1/^(?P<path>.*)$", GET, "/api/v1/nowhere", "nobody", 404),
    ("api/v1/runs", GET, "/api/v1/runs?namespace={namespace}", "readers", 200),
    ("api/v1/runs/<run_id>", GET, "/api/v1/runs/{run}", "readers", 200),
    ("api/v1/states", GET, "/api/v1/states", "people", 200),
    ("api/v1/types", GET, "/api/v1/types", "people", 200),
    ("api/v1/visualizations", GET, "/api/v1/visualizations", "people", 200),
    ("api/v1/visualizations", POST, "/api/v1/visualizations", "makers", 202, ASK),
    ("api/v1/visualizations/<visualization_id>", GET, "/api/v1" + _ONE[:-1], "readers", 200),
    ("api/v1/visualizations/<visualization_id>/changes", GET, "/api/v1" + _ONE + "changes", "readers", 200),
    ("api/v1/visualizations/<visualization_id>/run", GET, "/api/v1" + _ONE + "run", "readers", 200),
    ("api/v1/series/<series_id>", GET, "/api/v1/series/{recipe}", "readers", 200),
    ("api/v1/visualizations/<visualization_id>", DELETE, "/api/v1" + _ONE[:-1], "owners by API", 204),
    (
        "api/v1/visualizations/<visualization_id>/rerender",
        POST,
        "/api/v1" + _ONE + "rerender",
        "owners by API",
        202,
        {},
    ),
    ("api/v1/renders/<render_id>", GET, "/api/v1" + _RENDER[:-1], "readers", 200),
    ("api/v1/renders/<render_id>/cancel", POST, "/api/v1/renders/{queued}/cancel", "owners by API", 200, {}),
    ("api/v1/alerts", GET, "/api/v1/alerts", "people", 200),
    ("api/v1/alerts", POST, "/api/v1/alerts", "readers", 201, ALERT),
    ("api/v1/alerts/<alert_id>", GET, "/api/v1/alerts/{alert}", "owners", 200),
    ("api/v1/alerts/<alert_id>", PATCH, "/api/v1/alerts/{alert}", "owners", 200, {"enabled": False}),
    ("api/v1/alerts/<alert_id>", DELETE, "/api/v1/alerts/{alert}", "owners", 204),
    ("api/v1/alerts/<alert_id>/test", POST, "/api/v1/alerts/{alert}/test", "owners", 202, {}),
    ("api/v1/alerts/<alert_id>/deliveries", GET, "/api/v1/alerts/{alert}/deliveries", "owners", 200),
    ("api/v1/reports", GET, "/api/v1/reports", "people", 200),
    (
        "api/v1/reports",
        POST,
        "/api/v1/reports",
        "rule makers",
        201,
        {"title": "x", "visualization_ids": ["{visualization}"]},
    ),
    ("api/v1/reports/<report_id>", GET, "/api/v1" + _REPORT[:-1], "readers", 200),
    ("api/v1/reports/<report_id>", PATCH, "/api/v1" + _REPORT[:-1], "owners by API", 200, {"number": 1, "title": "x"}),
    ("api/v1/reports/<report_id>", DELETE, "/api/v1" + _REPORT[:-1], "owners by API", 204),
    ("api/v1/reports/<report_id>/versions", GET, "/api/v1" + _REPORT + "versions", "readers", 200),
    ("api/v1/reports/<report_id>/changes", GET, "/api/v1" + _REPORT + "changes?before=1&after=1", "readers", 200),
    ("api/v1/reports/<report_id>/restore", POST, "/api/v1" + _REPORT + "restore", "owners by API", 200, {"number": 1}),
    ("api/v1/shares", GET, "/api/v1/shares", "people", 200),
    ("api/v1/shares", POST, "/api/v1/shares", "rule makers", 201, {"render_id": "{render}"}),
    ("api/v1/shares/<share_id>", DELETE, "/api/v1/shares/{share}", "owners", 204),
    ("api/v1/proposals", GET, "/api/v1/proposals", "people", 200),
    ("api/v1/proposals", POST, "/api/v1/proposals", "proposers", 201, {"render_id": "{sample}", "file": "{file}"}),
    ("api/v1/proposals/<proposal_id>", GET, "/api/v1" + _PROPOSAL[:-1], "proposals", 200),
    (
        "api/v1/proposals/<proposal_id>/versions",
        POST,
        "/api/v1" + _PROPOSAL + "versions",
        "authors",
        201,
        {"file": "{file}"},
    ),
    # The proposal is already in review.
    ("api/v1/proposals/<proposal_id>/propose", POST, "/api/v1" + _PROPOSAL + "propose", "authors", 409, {}),
    ("api/v1/proposals/<proposal_id>/withdraw", POST, "/api/v1" + _PROPOSAL + "withdraw", "authors", 200, {}),
    (
        "api/v1/proposals/<proposal_id>/approve",
        POST,
        "/api/v1" + _PROPOSAL + "approve",
        "reviewers",
        200,
        {"version": 1},
    ),
    (
        "api/v1/proposals/<proposal_id>/reject",
        POST,
        "/api/v1" + _PROPOSAL + "reject",
        "reviewers",
        200,
        {"version": 1, "comment": "x"},
    ),
    # The proposal has no approved version.
    ("api/v1/proposals/<proposal_id>/retire", POST, "/api/v1" + _PROPOSAL + "retire", "reviewers", 409, {}),
    ("api/v1/rules", GET, "/api/v1/rules", "people", 200),
    ("api/v1/rules", POST, "/api/v1/rules", "rule makers", 201, {"series_id": "{recipe}"}),
    ("api/v1/rules/<rule_id>", GET, "/api/v1/rules/{rule}", "owners", 200),
    ("api/v1/rules/<rule_id>", PATCH, "/api/v1/rules/{rule}", "owners", 200, {"enabled": False}),
    ("api/v1/rules/<rule_id>", DELETE, "/api/v1/rules/{rule}", "owners", 204),
    ("api/v1/rules/<rule_id>/apply", POST, "/api/v1/rules/{rule}/apply", "owners", 200, {"last": 1}),
    ("api/v1/rules/<rule_id>/cancel", POST, "/api/v1/rules/{rule}/cancel", "owners", 200, {}),
    ("api/v1/comparisons", GET, "/api/v1/comparisons", "people", 200),
    (
        "api/v1/comparisons",
        POST,
        "/api/v1/comparisons",
        "makers",
        202,
        {"renders": ["{render}", "{twin}"], "force": True},
    ),
    ("api/v1/comparisons/<comparison_id>", GET, "/api/v1/comparisons/{comparison}", "readers", 200),
    ("api/v1/queue", GET, "/api/v1/queue", "people", 200),
    ("api/v1/queue/pauses", GET, "/api/v1/queue/pauses", "people", 200),
    ("api/v1/queue/pause", POST, "/api/v1/queue/pause", "those who administer", 200, {"reason": "x"}),
    ("api/v1/queue/drain", POST, "/api/v1/queue/drain", "those who administer", 200, {"reason": "x"}),
    ("api/v1/queue/resume", POST, "/api/v1/queue/resume", "those who administer", 200, {}),
    (
        "^apis/v[12]beta1/visualizations/(?P<namespace>[^/]*)$",
        POST,
        "/apis/v2beta1/visualizations/{namespace}",
        "kfp callers",
        200,
        {"type": "CUSTOM", "arguments": '{"code": ["1"]}'},
    ),
    (
        "^apis/v[12]beta1/visualizations/(?P<namespace>[^/]*)$",
        POST,
        "/apis/v1beta1/visualizations/{namespace}",
        "kfp callers",
        200,
        {"type": "CUSTOM", "arguments": '{"code": ["1"]}'},
    ),
]

# The admin site's own pages.
ADMIN = [
    ("admin/", GET, "/admin/", "administrators", 200),
    ("admin/login/", GET, "/admin/login/", "admin login", 200),
    ("admin/logout/", POST, "/admin/logout/", "people", 302),
    ("admin/password_change/", GET, "/admin/password_change/", "administrators", 200),
    ("admin/password_change/done/", GET, "/admin/password_change/done/", "administrators", 200),
    ("admin/autocomplete/", GET, "/admin/autocomplete/", "nobody in the admin site", 403),
    ("admin/jsi18n/", GET, "/admin/jsi18n/", "administrators", 200),
    ("admin/r/<path:rest>", GET, "/admin/r/1/1/", "hidden people", 404),
    ("admin/r/<path:content_type_id>/<path:object_id>/", GET, "/admin/r/2/{user}/", "hidden people", 404),
    (
        "admin/^(?P<app_label>django_rq|people|axes|auth|visualizations|promotion|rules|notifications|reports|sharing)/$",
        GET,
        "/admin/people/",
        "administrators",
        200,
    ),
    ("admin/(?P<url>.*)$", GET, "/admin/nowhere/", "hidden administrators", 404),
]
# The rules of each model's admin pages.
_A, SUPERUSERS, _N = "administrators", "superusers", "nobody in the admin site"
ADMIN_MODELS = {
    # model: (key of the object in a place, list, add, change (GET), change (POST), delete (POST), history)
    "visualizations/visualization": ("visualization", _A, _N, _A, _A, _A, _A),
    "visualizations/render": ("render", _A, _N, _A, _N, _N, _A),
    "notifications/alert": ("alert", _A, _N, _A, _N, _A, _A),
    "notifications/delivery": ("delivery", _A, _N, _A, _N, _A, _A),
    "reports/report": ("report", _A, _N, _A, _N, _A, _A),
    "sharing/share": ("share", _A, _N, _A, _N, _A, _A),
    "promotion/proposal": ("proposal", _A, _N, _A, _N, _N, _A),
    "rules/rule": ("rule", _A, _N, _A, _N, _A, _A),
    "visualizations/queuepause": ("pause", _A, _N, _A, _N, _A, _A),
    "visualizations/apitoken": ("token", _A, _A, _A, _N, _A, _A),
    "people/auditentry": ("entry", _A, _N, _A, _N, _N, _A),
    "axes/accessattempt": ("attempt", _A, _N, _A, _N, _A, _A),
    "auth/user": ("user", _A, SUPERUSERS, _A, SUPERUSERS, SUPERUSERS, _A),
    "auth/group": ("group", _A, SUPERUSERS, _A, SUPERUSERS, SUPERUSERS, _A),
}
# The queue dashboard, which has two URL prefixes; the job and worker ids do not exist.
QUEUE_PREFIXES = ("admin/rq/", "admin/django_rq/dashboard/")
QUEUE_PAGES = {
    "^stats.json/?$": "stats.json",
    "^stats.json/(?P<token>[\\w]+)?/?$": "stats.json/x",
    "^metrics/?$": "metrics",
    "": "",
    "queues/<int:queue_index>/": "queues/0/",
    "queues/<int:queue_index>/details/": "queues/0/details/",
    "queues/<int:queue_index>/finished/": "queues/0/finished/",
    "queues/<int:queue_index>/failed/": "queues/0/failed/",
    "queues/<int:queue_index>/failed/clear/": "queues/0/failed/clear/",
    "queues/<int:queue_index>/scheduled/": "queues/0/scheduled/",
    "queues/<int:queue_index>/started/": "queues/0/started/",
    "queues/<int:queue_index>/deferred/": "queues/0/deferred/",
    "queues/<int:queue_index>/empty/": "queues/0/empty/",
    "queues/<int:queue_index>/requeue-all/": "queues/0/requeue-all/",
    "queues/<int:queue_index>/<str:job_id>/": "queues/0/x/",
    "queues/<int:queue_index>/<str:job_id>/results/<str:result_id>/": "queues/0/x/results/y/",
    "queues/<int:queue_index>/<str:job_id>/delete/": "queues/0/x/delete/",
    "queues/<int:queue_index>/<str:job_id>/requeue/": "queues/0/x/requeue/",
    "queues/<int:queue_index>/<str:job_id>/enqueue/": "queues/0/x/enqueue/",
    "queues/<int:queue_index>/<str:job_id>/stop/": "queues/0/x/stop/",
    "queues/confirm-action/<int:queue_index>/": "queues/confirm-action/0/",
    "queues/actions/<int:queue_index>/": "queues/actions/0/",
    "workers/<int:queue_index>/": "workers/0/",
    "workers/<int:queue_index>/<str:key>/": "workers/0/x/",
    "schedulers/<int:scheduler_index>/": "schedulers/0/",
    "cron-schedulers/<int:connection_index>/<str:scheduler_name>/": "cron-schedulers/0/x/",
    "cron-schedulers/<int:connection_index>/<str:scheduler_name>/jobs/<path:cron_job_name>/": "cron-schedulers/0/x/jobs/y/",
}
# The dashboard's entry in the admin site: a model without a table, whose pages do not open.
QUEUE_MODEL_PAGES = (
    "add/",
    "<path:object_id>/history/",
    "<path:object_id>/delete/",
    "<path:object_id>/change/",
    "<path:object_id>/",
)

# The separate listener of Kubeflow's protocol has its own token and no roles, and refuses browsers.
LISTENER = {("GET", "/"): "everybody: a health check", ("POST", "/"): "whoever brings VIZPORTAL_KFP_SERVICE_TOKEN"}

# Running a command requires access to the database. "command" means that it calls services as CallerKind.COMMAND.
COMMANDS = {
    "alerts": "command",
    "sign_out": "command",
    "environments": "no person's data",
    "proposals": "command",
    "prune": "command",
    "queue": "command",
    "reconcile": "system",
    "rerender": "command",
    "compare": "command",
    "reports": "command",
    "rules": "command",
    "token": "command",
    "types": "no person's data",
    "visualize": "no person's data",
    "kfp_service": "starts the listener",
    "move": "copies every row and file between two databases",
    "rotate_key": "no person's data",
    "up": "starts the processes",
}
