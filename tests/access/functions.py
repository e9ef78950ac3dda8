"""Who gets what from each public function of a service or selector, and why the others take no caller."""

from tests.access import calls_of_reports, calls_of_rules, calls_of_runs, calls_of_sharing, calls_of_visualizations

PLACES = (
    "apps.accounts.audit",
    "apps.accounts.accounts",
    "apps.accounts.sessions",
    "apps.accounts.lockout",
    "apps.accounts.roles",
    "apps.accounts.local",
    "apps.runs.access",
    "apps.runs.actions",
    "apps.runs.gateway",
    "apps.runs.selectors",
    "apps.runs.services",
    "apps.visualizations.events",
    "apps.visualizations.provenance",
    "apps.visualizations.selectors",
    "apps.gallery.selectors",
    "apps.gallery.services",
    "apps.reports.selectors",
    "apps.reports.services",
    "apps.reports.contexts",
    "apps.reports.drafting",
    "apps.reports.offline",
    "apps.sharing.selectors",
    "apps.sharing.services",
    "apps.sharing.opening",
    "apps.rules.selectors",
    "apps.rules.meeting",
    "apps.rules.services",
    "apps.rules.conditions",
    "apps.rules.applying",
    "apps.kfp_service.ends",
    "apps.kfp_service.waiting",
    "apps.visualizations.services",
)
"""The modules, and packages of modules, whose public functions must each have a row."""

CALLED = (
    calls_of_reports.CALLED
    | calls_of_sharing.CALLED
    | calls_of_rules.CALLED
    | calls_of_runs.CALLED
    | calls_of_visualizations.CALLED
)

# Asked through its address (test_access_matrix.py), since it waits for a worker.
ASKED_BY_ADDRESS = {
    "apps.kfp_service.waiting.visualization_render",
    "apps.kfp_service.waiting.render_end",
}

# Only the portal's own processes call these: workers, the reconciler, `manage.py prune`, the migration.
SYSTEM = {
    "apps.accounts.roles.groups_write": "after each migration",
    "apps.accounts.local.local_user_get": "who is signed in where nobody signs in",
    "apps.runs.gateway.gateway_for_service": "workers and health, with the portal's own rights",
    "apps.runs.gateway.gateway_unsealed": "workers, with the credential that the caller left for its render",
    "apps.visualizations.events.publish": "workers and the services that change a render: ids and states",
    "apps.visualizations.events.message": "as publish",
    "apps.visualizations.events.connection_get": "the process's own connection",
    "apps.visualizations.services.assets.assets_publish": "workers: library code",
    "apps.visualizations.services.credentials.credential_keep": "submission, after it checked the caller",
    "apps.visualizations.services.credentials.credential_drop": "workers",
    "apps.visualizations.services.credentials.render_gateway": "workers",
    "apps.visualizations.services.execution.render_execute": "workers",
    "apps.visualizations.services.figures.*": "workers, and manage.py visualize",
    "apps.visualizations.services.machine_faults.*": "workers",
    "apps.visualizations.services.hosts.*": "workers; hosts_read: health, metrics, admin site",
    "apps.visualizations.services.indexing.*": "services that checked the caller, workers, and the reconciler",
    "apps.visualizations.services.inputs.*": "workers",
    "apps.visualizations.services.lease.*": "workers",
    "apps.visualizations.services.live.live_publish*": "workers",
    "apps.visualizations.services.pictures.*": "views that checked the caller, and manage.py visualize",
    "apps.visualizations.services.pruning.*": "manage.py prune",
    "apps.visualizations.services.results.*": "workers, and services that checked the caller",
    "apps.visualizations.services.stored.*": "services that checked the caller",
    "apps.visualizations.services.reconciliation.*": "the reconciler",
    "apps.reports.selectors.renders_pinned": "manage.py prune: ids of renders",
    "apps.reports.services.reports_purge": "the reconciler",
    "apps.sharing.selectors.renders_shared": "manage.py prune: ids of renders",
    "apps.sharing.opening.share_holds": "the origin of results, for an address that the portal has signed",
    "apps.rules.applying.*": "the reconciler, with the rights of each rule's owner",
    "apps.rules.services.gateway_of": "services that checked the caller, and the reconciler: the owner's rights",
    "apps.rules.meeting.runs_meet": "as gateway_of",
    "apps.rules.meeting.known_runs": "as gateway_of",
    "apps.rules.meeting.run_end": "the reconciler",
    "apps.visualizations.services.recipes.*": "services that checked the caller, and the reconciler",
}

# How a caller is found: there is none yet.
SIGNING_IN = {
    "apps.accounts.audit.connect_signals",
    "apps.accounts.sessions.connect_signals",
    "apps.accounts.sessions.admin_idle_s",
    "apps.accounts.sessions.admin_use_note",
    "apps.accounts.lockout.connect_signals",
    "apps.accounts.lockout.locked_page",
    "apps.accounts.roles.may",
    "apps.accounts.roles.role_for",
    "apps.accounts.roles.role_set",
    "apps.visualizations.services.tokens.token_user",
}

# Nothing in these is anybody's: types, words, numbers, or a part of an object that a selector gave the caller.
NOBODYS = {
    "apps.accounts.roles.refusal",
    "apps.runs.access.is_divided",
    "apps.runs.selectors.artifact_get",
    "apps.runs.selectors.artifact_within",
    "apps.runs.selectors.experiment_choices",
    "apps.runs.selectors.named",
    "apps.runs.selectors.pipeline_choices",
    "apps.runs.selectors.step_get",
    "apps.runs.services.metrics_of",
    "apps.runs.services.tag_clean",
    "apps.reports.drafting.drafts_from",
    "apps.sharing.services.days_clean",
    "apps.sharing.services.origins_clean",
    "apps.visualizations.selectors.results_latest",
    "apps.rules.selectors.conditions_*",
    "apps.rules.conditions.run_pages",
    "apps.visualizations.provenance.artifact_of",
    "apps.visualizations.provenance.is_stale",
    "apps.visualizations.selectors.id_read",
    "apps.visualizations.selectors.mean_duration_s",
    "apps.visualizations.selectors.oldest_wait_s",
    "apps.visualizations.selectors.queue_counts",
    "apps.visualizations.selectors.queue_place",
    "apps.visualizations.selectors.tfx_type",
    "apps.visualizations.selectors.text_filter",
    "apps.visualizations.selectors.type_*",
    "apps.visualizations.services.assets.asset_compressed",
    "apps.visualizations.services.assets.asset_open",
    "apps.visualizations.services.assets.inline_assets",
    "apps.visualizations.services.assets.inline_assets_bytes",
    "apps.visualizations.services.bulk.is_stale",
    "apps.visualizations.services.naming.*",
    "apps.visualizations.services.requests.*",
    "apps.visualizations.services.titles.tag_clean",
    "apps.visualizations.services.code.*",
}

# What changes something in Kubeflow; only apps.runs.actions may name these.
KUBEFLOW_WRITERS = {
    "experiment_create",
    "pipeline_upload",
    "pipeline_version_upload",
    "recurring_run_delete",
    "recurring_run_disable",
    "recurring_run_enable",
    "run_archive",
    "run_create",
    "run_delete",
    "run_retry",
    "run_terminate",
    "run_unarchive",
}
