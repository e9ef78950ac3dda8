"""Settings, all from the environment. docs/settings.md documents each of them, which a test checks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from renderer import Environments

from apps import stores
from apps.telemetry.logs import logging_config
from vizportal import database, env, secret

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Storage on this machine -------------------------------------------------------------------------------
VIZPORTAL_DATA_DIR = Path(env.read_str("VIZPORTAL_DATA_DIR", str(BASE_DIR / "data"))).expanduser().absolute()
VIZPORTAL_ENVIRONMENTS_DIR = (
    Path(env.read_str("VIZPORTAL_ENVIRONMENTS_DIR", str(BASE_DIR / ".environments"))).expanduser().absolute()
)

# The definitions of environments: a folder with a pyproject.toml and a uv.lock for each.
ENVIRONMENT_DEFINITIONS_DIR = BASE_DIR / "environments"
_environments = Environments(definitions_dir=ENVIRONMENT_DEFINITIONS_DIR, built_dir=VIZPORTAL_ENVIRONMENTS_DIR)

# --- Web --------------------------------------------------------------------------------------------------
VIZPORTAL_BIND = env.read_str("VIZPORTAL_BIND", "127.0.0.1:8000")
VIZPORTAL_AUTH = env.read_choice("VIZPORTAL_AUTH", "local", ["local", "password", "oidc", "header"])
DEBUG = env.read_bool("VIZPORTAL_DEBUG", default=False)
VIZPORTAL_SESSION_HOURS = env.read_int("VIZPORTAL_SESSION_HOURS", 14 * 24, least=1)
SESSION_COOKIE_AGE = VIZPORTAL_SESSION_HOURS * 3600
SECRET_KEY = env.read_str("SECRET_KEY")
# Replaced keys sign nothing new, but their signatures are still valid.
SECRET_KEY_FALLBACKS = env.read_list("SECRET_KEY_FALLBACKS")
if not SECRET_KEY:
    SECRET_KEY = secret.load_or_create(VIZPORTAL_DATA_DIR)
    SECRET_KEY_FALLBACKS += secret.load_replaced(VIZPORTAL_DATA_DIR, SESSION_COOKIE_AGE)
ALLOWED_HOSTS = env.read_list("VIZPORTAL_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.read_list("VIZPORTAL_TRUSTED_ORIGINS")
# The origin of results, such as https://results.example.com; empty: the portal's own.
VIZPORTAL_RESULTS_ORIGIN = env.read_origin("VIZPORTAL_RESULTS_ORIGIN")
if VIZPORTAL_RESULTS_ORIGIN:
    ALLOWED_HOSTS.append(env.host_of(VIZPORTAL_RESULTS_ORIGIN))

# --- Accounts ---------------------------------------------------------------------------------------------
VIZPORTAL_DEFAULT_ROLE = env.read_choice("VIZPORTAL_DEFAULT_ROLE", "coder", ["none", "viewer", "creator", "coder"])
# {"administrator": ["ml-admins"], "viewer": ["everybody"]}: the identity provider's groups for each role.
VIZPORTAL_ROLE_GROUPS = env.read_names("VIZPORTAL_ROLE_GROUPS", ["viewer", "creator", "coder", "administrator"])
# The header in which a proxy names the user, and the addresses from which it is trusted.
VIZPORTAL_AUTH_HEADER = env.read_str("VIZPORTAL_AUTH_HEADER", "kubeflow-userid")
VIZPORTAL_AUTH_HEADER_PREFIX = env.read_str("VIZPORTAL_AUTH_HEADER_PREFIX")
VIZPORTAL_AUTH_GROUPS_HEADER = env.read_str("VIZPORTAL_AUTH_GROUPS_HEADER")
VIZPORTAL_TRUSTED_PROXIES = env.read_networks("VIZPORTAL_TRUSTED_PROXIES", ["127.0.0.1", "::1"])
# Lets links to results and reports open without a sign-in.
VIZPORTAL_SHARE_ANONYMOUS = env.read_bool("VIZPORTAL_SHARE_ANONYMOUS", default=False)
VIZPORTAL_SHARE_MAX_DAYS = env.read_int("VIZPORTAL_SHARE_MAX_DAYS", 90, least=1)
VIZPORTAL_OIDC_ISSUER = env.read_str("VIZPORTAL_OIDC_ISSUER")
VIZPORTAL_OIDC_USERNAME_CLAIM = env.read_str("VIZPORTAL_OIDC_USERNAME_CLAIM", "email")
VIZPORTAL_OIDC_GROUPS_CLAIM = env.read_str("VIZPORTAL_OIDC_GROUPS_CLAIM", "groups")
# The names that mozilla-django-oidc reads.
OIDC_RP_CLIENT_ID = env.read_str("VIZPORTAL_OIDC_CLIENT_ID")
OIDC_RP_CLIENT_SECRET = env.read_str("VIZPORTAL_OIDC_CLIENT_SECRET")
OIDC_RP_SCOPES = env.read_str("VIZPORTAL_OIDC_SCOPES", "openid email profile")
OIDC_RP_SIGN_ALGO = env.read_str("VIZPORTAL_OIDC_ALGORITHM", "RS256")
OIDC_STORE_ACCESS_TOKEN = env.read_bool("VIZPORTAL_OIDC_KEEP_TOKEN", default=False)
OIDC_USE_PKCE = True
OIDC_TIMEOUT = 10
AUTHENTICATION_BACKENDS = {
    "oidc": ["apps.accounts.backends.OidcBackend"],
    "header": ["apps.accounts.backends.HeaderBackend"],
}.get(VIZPORTAL_AUTH, ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"])
# Too many wrong passwords lock a user name for the client's address; django-axes counts them in the database.
VIZPORTAL_LOGIN_FAILURES = env.read_int("VIZPORTAL_LOGIN_FAILURES", 10, least=1)
VIZPORTAL_LOGIN_LOCKOUT_MINUTES = env.read_int("VIZPORTAL_LOGIN_LOCKOUT_MINUTES", 15, least=1)
VIZPORTAL_ADMIN_IDLE_MINUTES = env.read_int("VIZPORTAL_ADMIN_IDLE_MINUTES", 60, least=1)
AXES_ENABLED = VIZPORTAL_AUTH == "password"
AXES_FAILURE_LIMIT = VIZPORTAL_LOGIN_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=VIZPORTAL_LOGIN_LOCKOUT_MINUTES)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "apps.accounts.addresses.lockout_address"
AXES_LOCKOUT_CALLABLE = "apps.accounts.lockout.locked_page"
AXES_RESET_ON_SUCCESS = True
# Otherwise somebody who keeps trying would lock the user out forever.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# The audit log records sign-ins, and the admin site has its own page for lockouts.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username", "csrfmiddlewaretoken"]

# --- Kubeflow ---------------------------------------------------------------------------------------------
# Empty: `up` starts the embedded one and sets KFP_HOST for the processes it starts.
KFP_HOST = env.read_str("KFP_HOST").rstrip("/")
KFP_NAMESPACE = env.read_str("KFP_NAMESPACE")
KFP_EXISTING_TOKEN = env.read_str("KFP_EXISTING_TOKEN")
KFP_COOKIES = env.read_str("KFP_COOKIES")
KFP_USERID_HEADER = env.read_str("KFP_USERID_HEADER")
KFP_AUTH = env.read_str("KFP_AUTH")
KFP_CA_FILE = env.read_str("KFP_CA_FILE")
KFP_METADATA = env.read_str("KFP_METADATA")
# Several endpoints as a JSON list; if empty, the KFP_ settings above describe the only one.
VIZPORTAL_ENDPOINTS = env.read_str("VIZPORTAL_ENDPOINTS")
# `up` sets it for the processes it starts next to the embedded Kubeflow.
KFP_IS_EMBEDDED = env.read_bool("VIZPORTAL_KFP_EMBEDDED", default=False)
KFP_TIMEOUT = env.read_int("KFP_TIMEOUT", 3, least=1)
# Whether the embedded Kubeflow gets sample pipelines at its first start.
VIZPORTAL_SAMPLES = env.read_bool("VIZPORTAL_SAMPLES", default=True)
VIZPORTAL_LOCALKFP_BIND = env.read_str("VIZPORTAL_LOCALKFP_BIND")
# The listener for Kubeflow's visualization protocol; empty: none.
VIZPORTAL_KFP_SERVICE_BIND = env.read_str("VIZPORTAL_KFP_SERVICE_BIND")
VIZPORTAL_KFP_SERVICE_OPEN = env.read_bool("VIZPORTAL_KFP_SERVICE_OPEN", default=False)
VIZPORTAL_KFP_SERVICE_TOKEN = env.read_str("VIZPORTAL_KFP_SERVICE_TOKEN")
VIZPORTAL_KFP_SERVICE_MAX_WAITING = env.read_int("VIZPORTAL_KFP_SERVICE_MAX_WAITING", 50, least=1)

# --- Object stores ----------------------------------------------------------------------------------------
# Stores that the portal reads directly, as a JSON list (docs/artifacts.md); others are read through the endpoint.
VIZPORTAL_OBJECT_STORES = env.read_str("VIZPORTAL_OBJECT_STORES")

# --- Rendering --------------------------------------------------------------------------------------------
ALLOW_CUSTOM_VISUALIZATIONS = env.read_bool("ALLOW_CUSTOM_VISUALIZATIONS", default=False)
# Allows scripts to declare packages of their own: from one index only, as wheels.
VIZPORTAL_ALLOW_DEPENDENCIES = env.read_bool("VIZPORTAL_ALLOW_DEPENDENCIES", default=False)
VIZPORTAL_PACKAGE_INDEX = env.read_str("VIZPORTAL_PACKAGE_INDEX")
KERNEL_TIMEOUT = env.read_int("KERNEL_TIMEOUT", 100, least=1)
# How long a render host may take to import its libraries; not part of a render's time.
VIZPORTAL_HOST_START_S = env.read_int("VIZPORTAL_HOST_START_S", 300, least=1)
VIZPORTAL_WORKERS = env.read_int("VIZPORTAL_WORKERS", 2, least=1)
# Environments of workers on other machines, available even while no worker runs: it may be started when renders wait.
VIZPORTAL_REMOTE_ENVIRONMENTS = env.read_list("VIZPORTAL_REMOTE_ENVIRONMENTS")
VIZPORTAL_SANDBOX = env.read_choice("VIZPORTAL_SANDBOX", "auto", ["auto", "bwrap", "landlock", "none"])
VIZPORTAL_TERMINATION = env.read_choice(
    "VIZPORTAL_TERMINATION", "auto", ["auto", "namespace", "cgroup", "group", "threads"]
)
# The administrator's confirmation that users' code may run without a sandbox.
VIZPORTAL_CUSTOM_WITHOUT_SANDBOX = env.read_bool("VIZPORTAL_CUSTOM_WITHOUT_SANDBOX", default=False)
VIZPORTAL_HOST_MAX_RENDERS = env.read_int("VIZPORTAL_HOST_MAX_RENDERS", 2000, least=1)
VIZPORTAL_MAX_HTML_BYTES = env.read_int("VIZPORTAL_MAX_HTML_BYTES", 64 * 1024**2, least=1024)
VIZPORTAL_MAX_SOURCE_BYTES = env.read_int("VIZPORTAL_MAX_SOURCE_BYTES", 512 * 1024**2, least=1)
VIZPORTAL_MAX_RENDER_MEMORY_BYTES = env.read_int("VIZPORTAL_MAX_RENDER_MEMORY_BYTES", 4 * 1024**3, least=2**28)
VIZPORTAL_MAX_QUEUED_PER_USER = env.read_int("VIZPORTAL_MAX_QUEUED_PER_USER", 50, least=1)
# How much `manage.py prune` keeps unless its options say otherwise; 0 for no limit.
VIZPORTAL_KEEP_LAST = env.read_int("VIZPORTAL_KEEP_LAST", 0)
VIZPORTAL_KEEP_DAYS = env.read_int("VIZPORTAL_KEEP_DAYS", 0)
# Size limit of a preserved run, including its logs, compressed; 0 keeps none.
VIZPORTAL_PRESERVE_BYTES = env.read_int("VIZPORTAL_PRESERVE_BYTES", 2 * 1024**2, least=0)
VIZPORTAL_SOURCE_CACHE_BYTES = env.read_int("VIZPORTAL_SOURCE_CACHE_BYTES", 2 * 1024**3, least=0)
VIZPORTAL_SOURCE_ALLOW = env.read_list("VIZPORTAL_SOURCE_ALLOW")
VIZPORTAL_TYPES_DIRS = [Path(part) for part in env.read_list("VIZPORTAL_TYPES_DIRS")]

# --- Notifications (docs/alerts.md) -------------------------------------------------------------------------
# The origin of links in messages, such as https://portal.example.com; empty: VIZPORTAL_BIND.
VIZPORTAL_PUBLIC_URL = env.read_origin("VIZPORTAL_PUBLIC_URL")
# Prefixes of web addresses inside this network to which messages may be sent.
VIZPORTAL_NOTIFY_ALLOW = env.read_list("VIZPORTAL_NOTIFY_ALLOW")
# Domains to which people may have e-mail sent, in addition to their account's own address.
VIZPORTAL_EMAIL_DOMAINS = env.read_list("VIZPORTAL_EMAIL_DOMAINS")
# The names that Django reads; without a host no e-mail is sent.
EMAIL_HOST = env.read_str("VIZPORTAL_EMAIL_HOST")
EMAIL_HOST_USER = env.read_str("VIZPORTAL_EMAIL_USER")
EMAIL_HOST_PASSWORD = env.read_str("VIZPORTAL_EMAIL_PASSWORD")
_EMAIL_TLS = env.read_choice("VIZPORTAL_EMAIL_TLS", "starttls", ["starttls", "tls", "none"])
EMAIL_USE_TLS, EMAIL_USE_SSL = _EMAIL_TLS == "starttls", _EMAIL_TLS == "tls"
EMAIL_PORT = env.read_int("VIZPORTAL_EMAIL_PORT", {"starttls": 587, "tls": 465}.get(_EMAIL_TLS, 25), least=1)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.read_str("VIZPORTAL_EMAIL_FROM", "vizportal@localhost")

# --- Django -----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_rq",
    "ninja",
    "csp",
    "axes",
    "apps.ui",
    "apps.accounts",
    "apps.runs",
    "apps.visualizations",
    "apps.preservation",
    "apps.gallery",
    "apps.promotion",
    "apps.rules",
    "apps.notifications",
    "apps.queues",
    "apps.reports",
    "apps.sharing",
    "vizportal",
]
MIDDLEWARE = [
    # First, because it sees the responses of all others.
    "apps.telemetry.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "vizportal.compression.CompressionMiddleware",
    "vizportal.middleware.ResultsOriginMiddleware",
    "apps.telemetry.middleware.MetricsMiddleware",
    "vizportal.middleware.refuse_nul",
    "vizportal.middleware.MethodsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "vizportal.middleware.QueueDashboardMiddleware",
    "apps.ui.zones.reader_zone_middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "apps.runs.middleware.EndpointMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.TrustedHeaderMiddleware",
    "apps.accounts.middleware.LocalUserMiddleware",
    "apps.accounts.middleware.SignInMiddleware",
    "apps.accounts.middleware.RightsMiddleware",
    "apps.accounts.middleware.AdminRightMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.accounts.middleware.AdminIdleMiddleware",
    # Last, because it replaces the response of the sign-in by the lockout page.
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "vizportal.urls"
ASGI_APPLICATION = "vizportal.asgi.application"
WSGI_APPLICATION = "vizportal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "vizportal.contexts.site",
            ],
        },
    }
]
VIZPORTAL_DATABASE_POOL = env.read_int("VIZPORTAL_DATABASE_POOL", 20)
DATABASES = {
    "default": database.read_database(
        env.read_str("DATABASE_URL") or f"sqlite:///{VIZPORTAL_DATA_DIR / 'db.sqlite3'}", pool=VIZPORTAL_DATABASE_POOL
    )
}
# The target of `manage.py move`.
VIZPORTAL_MOVE_DATABASE_URL = env.read_str("VIZPORTAL_MOVE_DATABASE_URL")
if VIZPORTAL_MOVE_DATABASE_URL:
    DATABASES["move_target"] = database.read_database(VIZPORTAL_MOVE_DATABASE_URL, pool=0)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "signed_out"
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.read_str("VIZPORTAL_STATIC_DIR", str(VIZPORTAL_DATA_DIR / "static"))).expanduser().absolute()
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = VIZPORTAL_DATA_DIR / "results"
# An object store for results, with options of django-storages; empty: files in the data directory.
VIZPORTAL_RESULTS_URL = env.read_str("VIZPORTAL_RESULTS_URL")
VIZPORTAL_RESULTS_OPTIONS = env.read_object("VIZPORTAL_RESULTS_OPTIONS")
STORAGES = {
    "default": stores.read_store(VIZPORTAL_RESULTS_URL, VIZPORTAL_RESULTS_OPTIONS, MEDIA_ROOT),
    "staticfiles": {"BACKEND": "vizportal.static_files.ShorteningStorage"},
}
VIZPORTAL_MOVE_RESULTS_URL = env.read_str("VIZPORTAL_MOVE_RESULTS_URL")
VIZPORTAL_MOVE_RESULTS_OPTIONS = env.read_object("VIZPORTAL_MOVE_RESULTS_OPTIONS")
if VIZPORTAL_MOVE_RESULTS_URL:
    STORAGES["move_target"] = stores.read_store(VIZPORTAL_MOVE_RESULTS_URL, VIZPORTAL_MOVE_RESULTS_OPTIONS, MEDIA_ROOT)
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024**2
X_FRAME_OPTIONS = "SAMEORIGIN"
SILENCED_SYSTEM_CHECKS = [
    # The portal shows its own results in frames; the CSP's frame-ancestors says the same.
    "security.W019",
    # Sub-domains and browsers' preload lists are the decision of the domain's owner.
    "security.W005",
    "security.W021",
    # If users sign in elsewhere, there are no passwords to guess.
    *([] if AXES_ENABLED else ["axes.W003"]),
]
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "vizportal.views.form_too_old"
_HTTPS = env.read_bool("VIZPORTAL_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
if _HTTPS:
    # Browsers accept such cookies only from this host and over HTTPS: no other host of the domain can set one.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 3600 * 24 * 30
    SECURE_SSL_REDIRECT = True
    # Probes reach the process directly, without the proxy.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]

# `frame-src 'self'` keeps a saved result from navigating its frame to an address that contains data.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        # Sound and video among artifacts, with a media type from the portal's own list.
        "media-src": [SELF],
        # Pages pass libraries from the results' own origin on to results.
        "connect-src": [SELF, *([VIZPORTAL_RESULTS_ORIGIN] if VIZPORTAL_RESULTS_ORIGIN else [])],
        "frame-src": [SELF, *([VIZPORTAL_RESULTS_ORIGIN] if VIZPORTAL_RESULTS_ORIGIN else [])],
        "frame-ancestors": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# --- The queue --------------------------------------------------------------------------------------------
REDIS_URL = env.read_str("REDIS_URL") or f"unix://{VIZPORTAL_DATA_DIR / 'valkey' / 'valkey.sock'}"
# A queue for each environment.
RQ_QUEUES = {
    f"render-{key}": {"URL": REDIS_URL, "SERIALIZER": "rq.serializers.JSONSerializer"}
    for key in _environments.get_keys()
}
# The worker and every reader of the queue refuse jobs that are not renders (apps/visualizations/job_queue.py).
RQ = {
    "JOB_CLASS": "apps.visualizations.jobs.RenderJob",
    "WORKER_CLASS": "apps.visualizations.jobs.RenderWorker",
}
RQ_SHOW_ADMIN_LINK = True

# --- Telemetry (docs/monitoring.md) ------------------------------------------------------------------------
# Empty: only this machine may read /metrics.
VIZPORTAL_METRICS_TOKEN = env.read_str("VIZPORTAL_METRICS_TOKEN")
# The address at which a worker answers /healthz and /metrics; empty: none.
VIZPORTAL_WORKER_METRICS_BIND = env.read_str("VIZPORTAL_WORKER_METRICS_BIND")
# The collector of traces, such as http://collector:4318; empty: nothing is traced.
VIZPORTAL_OTLP_ENDPOINT = env.read_str("VIZPORTAL_OTLP_ENDPOINT")
LOGGING = logging_config(
    env.read_choice("VIZPORTAL_LOG_FORMAT", "line", ["line", "json"]),
    env.read_str("VIZPORTAL_LOG_LEVEL", "INFO").upper(),
)
