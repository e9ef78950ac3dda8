"""Settings, all from the environment. docs/settings.md has a row for each, and a test says so."""

from __future__ import annotations

from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF

from vizportal import env, secret

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where things are kept ---------------------------------------------------------------------------------
VIZPORTAL_DATA_DIR = Path(env.read_str("VIZPORTAL_DATA_DIR", str(BASE_DIR / "data"))).expanduser().absolute()
VIZPORTAL_ENVIRONMENTS_DIR = (
    Path(env.read_str("VIZPORTAL_ENVIRONMENTS_DIR", str(BASE_DIR / ".environments"))).expanduser().absolute()
)

# --- The web ----------------------------------------------------------------------------------------------
VIZPORTAL_BIND = env.read_str("VIZPORTAL_BIND", "127.0.0.1:8000")
VIZPORTAL_AUTH = env.read_choice("VIZPORTAL_AUTH", "local", ["local", "password", "oidc", "header"])
DEBUG = env.read_bool("VIZPORTAL_DEBUG", default=False)
SECRET_KEY = env.read_str("SECRET_KEY") or secret.load_or_create(VIZPORTAL_DATA_DIR)
ALLOWED_HOSTS = env.read_list("VIZPORTAL_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.read_list("VIZPORTAL_TRUSTED_ORIGINS")

# --- People -----------------------------------------------------------------------------------------------
VIZPORTAL_DEFAULT_ROLE = env.read_choice("VIZPORTAL_DEFAULT_ROLE", "coder", ["none", "viewer", "creator", "coder"])
# {"administrator": ["ml-admins"], "viewer": ["everybody"]}: groups of the sign-in's, by the role they give.
VIZPORTAL_ROLE_GROUPS = env.read_names("VIZPORTAL_ROLE_GROUPS", ["viewer", "creator", "coder", "administrator"])
VIZPORTAL_SESSION_HOURS = env.read_int("VIZPORTAL_SESSION_HOURS", 14 * 24, least=1)
# The gateway that says who asks, and the addresses it is believed from.
VIZPORTAL_AUTH_HEADER = env.read_str("VIZPORTAL_AUTH_HEADER", "kubeflow-userid")
VIZPORTAL_AUTH_HEADER_PREFIX = env.read_str("VIZPORTAL_AUTH_HEADER_PREFIX")
VIZPORTAL_AUTH_GROUPS_HEADER = env.read_str("VIZPORTAL_AUTH_GROUPS_HEADER")
VIZPORTAL_TRUSTED_PROXIES = env.read_networks("VIZPORTAL_TRUSTED_PROXIES", ["127.0.0.1", "::1"])
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
SESSION_COOKIE_AGE = VIZPORTAL_SESSION_HOURS * 3600
AUTHENTICATION_BACKENDS = {
    "oidc": ["apps.people.backends.OidcBackend"],
    "header": ["apps.people.backends.HeaderBackend"],
}.get(VIZPORTAL_AUTH, ["django.contrib.auth.backends.ModelBackend"])

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
# Several endpoints as a JSON list; the KFP_ settings above describe the only one where this is empty.
VIZPORTAL_ENDPOINTS = env.read_str("VIZPORTAL_ENDPOINTS")
# `up` says so to the processes it starts beside its own Kubeflow.
KFP_IS_EMBEDDED = env.read_bool("VIZPORTAL_KFP_EMBEDDED", default=False)
KFP_TIMEOUT = env.read_int("KFP_TIMEOUT", 4, least=1)
VIZPORTAL_LOCALKFP_BIND = env.read_str("VIZPORTAL_LOCALKFP_BIND")
# The listener that speaks Kubeflow's visualization protocol; empty: there is none.
VIZPORTAL_KFP_SERVICE_BIND = env.read_str("VIZPORTAL_KFP_SERVICE_BIND")
VIZPORTAL_KFP_SERVICE_OPEN = env.read_bool("VIZPORTAL_KFP_SERVICE_OPEN", default=False)
VIZPORTAL_KFP_SERVICE_TOKEN = env.read_str("VIZPORTAL_KFP_SERVICE_TOKEN")
VIZPORTAL_KFP_SERVICE_MAX_WAITING = env.read_int("VIZPORTAL_KFP_SERVICE_MAX_WAITING", 50, least=1)

# --- Object stores ----------------------------------------------------------------------------------------
# Stores that the portal reads by itself, as a JSON list (docs/artifacts.md); elsewhere the endpoint is asked.
VIZPORTAL_OBJECT_STORES = env.read_str("VIZPORTAL_OBJECT_STORES")

# --- Rendering --------------------------------------------------------------------------------------------
ALLOW_CUSTOM_VISUALIZATIONS = env.read_bool("ALLOW_CUSTOM_VISUALIZATIONS", default=False)
KERNEL_TIMEOUT = env.read_int("KERNEL_TIMEOUT", 100, least=1)
VIZPORTAL_WORKERS = env.read_int("VIZPORTAL_WORKERS", 2, least=1)
VIZPORTAL_SANDBOX = env.read_choice("VIZPORTAL_SANDBOX", "auto", ["auto", "bwrap", "landlock", "none"])
# The second word of an administrator who wants people's own code to run where nothing confines it.
VIZPORTAL_CUSTOM_WITHOUT_SANDBOX = env.read_bool("VIZPORTAL_CUSTOM_WITHOUT_SANDBOX", default=False)
VIZPORTAL_HOST_MAX_RENDERS = env.read_int("VIZPORTAL_HOST_MAX_RENDERS", 2000, least=1)
VIZPORTAL_MAX_HTML_BYTES = env.read_int("VIZPORTAL_MAX_HTML_BYTES", 64 * 1024**2, least=1024)
VIZPORTAL_MAX_SOURCE_BYTES = env.read_int("VIZPORTAL_MAX_SOURCE_BYTES", 512 * 1024**2, least=1)
VIZPORTAL_MAX_RENDER_MEMORY_BYTES = env.read_int("VIZPORTAL_MAX_RENDER_MEMORY_BYTES", 4 * 1024**3, least=2**28)
VIZPORTAL_MAX_QUEUED_PER_USER = env.read_int("VIZPORTAL_MAX_QUEUED_PER_USER", 50, least=1)
VIZPORTAL_SOURCE_ALLOW = env.read_list("VIZPORTAL_SOURCE_ALLOW")
VIZPORTAL_TYPES_DIRS = [Path(part) for part in env.read_list("VIZPORTAL_TYPES_DIRS")]

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
    "apps.people",
    "apps.runs",
    "apps.visualizations",
    "vizportal",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "apps.runs.middleware.EndpointMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.people.middleware.TrustedHeaderMiddleware",
    "apps.people.middleware.LocalUserMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "apps.people.middleware.RightsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
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
DATABASES = {
    "default": dj_database_url.parse(
        env.read_str("DATABASE_URL") or f"sqlite:///{VIZPORTAL_DATA_DIR / 'db.sqlite3'}",
        conn_max_age=60,
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Measured: with Django's defaults four writers meet "database is locked"; with these they do not.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "signed_out"
STATIC_URL = "/static/"
STATIC_ROOT = VIZPORTAL_DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = VIZPORTAL_DATA_DIR / "results"
STORAGES = {
    # Results are only ever served through views that check who asks, so no URL leads to them.
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"base_url": None}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024**2
X_FRAME_OPTIONS = "SAMEORIGIN"
SILENCED_SYSTEM_CHECKS = [
    # The portal shows its own results in frames; the CSP's frame-ancestors says the same.
    "security.W019",
    # Whether sub-domains and browsers' preload lists are meant is the domain owner's decision.
    "security.W005",
    "security.W021",
]
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
_HTTPS = env.read_bool("VIZPORTAL_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
if _HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 3600 * 24 * 30
    SECURE_SSL_REDIRECT = True
    # Probes ask the process itself, past the proxy.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]

# `frame-src 'self'` is what stops a saved result from navigating its frame away with data in the address.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "frame-ancestors": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# --- The queue --------------------------------------------------------------------------------------------
REDIS_URL = env.read_str("REDIS_URL") or f"unix://{VIZPORTAL_DATA_DIR / 'valkey' / 'valkey.sock'}"
RQ_QUEUES = {
    "render-base": {"URL": REDIS_URL, "SERIALIZER": "rq.serializers.JSONSerializer"},
}
# The worker and every reader of the queue refuse whatever is not a render (apps/visualizations/jobs.py).
RQ = {
    "JOB_CLASS": "apps.visualizations.jobs.RenderJob",
    "WORKER_CLASS": "apps.visualizations.jobs.RenderWorker",
}
RQ_SHOW_ADMIN_LINK = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.read_str("VIZPORTAL_LOG_LEVEL", "INFO").upper()},
}
