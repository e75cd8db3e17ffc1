"""Django settings, read from the environment once at start.

| variable | meaning | default |
|---|---|---|
| JIAOHENG_ENV | `demo`, `production`; production needs a secret key and refuses demo accounts | production |
| JIAOHENG_DATA | folder of database, attachments, anchors, logs | ./jiaoheng-data |
| DATABASE_URL | PostgreSQL instead of SQLite | SQLite in the data folder |
| JIAOHENG_KEYS | folder of the keys of protected data, to lie outside the data folder | keys in the data folder |
| JIAOHENG_DATA_KEYS | those keys themselves, newest first: `id:base64,…,search:base64` | the key file |
| JIAOHENG_SECRET_KEY | signing key; made once in the data folder where it is not set | |
| JIAOHENG_HOSTS | comma-separated host names that may be served | localhost names |
| JIAOHENG_PROXIES | how many trusted reverse proxies stand before the server | 0 |
| JIAOHENG_HTTPS | 1: people reach the server by https only (secure cookies, HSTS) | 0 |
| JIAOHENG_SECOND_FACTOR | 0: no one-time codes for roles that see the county | 1, in the demo 0 |
| JIAOHENG_REMEMBER_DAYS | days for which a browser may be spared the one-time code | 0 |
| JIAOHENG_OIDC_ISSUER, _CLIENT_ID, _SECRET | sign-in by another server (OpenID Connect) | off |
| JIAOHENG_OIDC_CLAIM | the claim that holds the account's name | preferred_username |
| JIAOHENG_API_LIMIT | requests of one API token a minute | 600 |
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from django.templatetags.static import static

from jiaoheng.bureau.operations import logs

ENVIRONMENT = os.environ.get("JIAOHENG_ENV", "production")
DEMO = ENVIRONMENT == "demo"
HTTPS = os.environ.get("JIAOHENG_HTTPS", "0") == "1"
PROXIES = int(os.environ.get("JIAOHENG_PROXIES", "0"))
DATA = Path(os.environ.get("JIAOHENG_DATA", "jiaoheng-data")).resolve()
FILES = DATA / "files"
SNAPSHOTS = DATA / "snapshots"  # typed copies of registers for figures: may be deleted at any time
ANCHOR = DATA / "audit-anchor.log"


def _secret_key() -> str:
    given = os.environ.get("JIAOHENG_SECRET_KEY")
    if given:
        return given
    path = DATA / "secret-key"
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        # under its name only when it is whole: of two processes that start at once both read the same key
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as out:
                out.write(secrets.token_urlsafe(48))
                out.flush()
                os.fsync(out.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(part, path)
        finally:
            part.unlink()
    return path.read_text(encoding="ascii")


SECRET_KEY = _secret_key()
DEBUG = False
ALLOWED_HOSTS = [
    *filter(None, os.environ.get("JIAOHENG_HOSTS", "").split(",")),
    "localhost",
    "127.0.0.1",
    "[::1]",
    "testserver",
]

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "bootstrap",
    "django_htmx",
    "axes",
    "django_tasks",
    "django_tasks_db",
    "jiaoheng.bureau.core",
    "jiaoheng.bureau.ledgers",
    "jiaoheng.bureau.operations",
    "jiaoheng.bureau.web",
]

MIDDLEWARE = [
    "jiaoheng.bureau.web.headers.SafeHeaders",
    "jiaoheng.bureau.web.request_log.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "jiaoheng.bureau.web.gate.Gate",
    "jiaoheng.bureau.api.middleware.ApiDoor",
    "jiaoheng.bureau.web.compressing.Static",
    "jiaoheng.bureau.web.compressing.Compress",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "jiaoheng.bureau.web.settings_policy.SettingsPolicy",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "jiaoheng.bureau.web.harmless.HarmlessText",
    "jiaoheng.bureau.web.middleware.SessionRules",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "jiaoheng.bureau.urls"
WSGI_APPLICATION = "jiaoheng.bureau.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "jiaoheng.bureau.web.context.shell",
            ],
        },
    }
]


def _database() -> dict[str, Any]:
    url = os.environ.get("DATABASE_URL")
    if url:
        found: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
        return found
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "jiaoheng.sqlite3",
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            # a transaction that reads first and writes later fails at once on a busy base unless it begins IMMEDIATE
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: what was answered is on the disk; NORMAL would lose the last commits with the power
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;"
            " PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456;",
        },
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "core.Account"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": "jiaoheng.bureau.core.password_rules.LongEnough"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "jiaoheng.bureau.core.password_rules.NotOfHere"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_FAILURE_VIEW = "jiaoheng.bureau.web.refusals.stale"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# one account is locked, never an address: a whole office shares one (P26)
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "jiaoheng.bureau.web.sign_in.locked_out"
AXES_IPWARE_PROXY_COUNT = PROXIES
AXES_CLIENT_IP_CALLABLE = "jiaoheng.bureau.core.locking.client_address"
AXES_USERNAME_CALLABLE = "jiaoheng.bureau.core.locking.client_name"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # 15 minutes are 15 minutes, whoever goes on trying
AXES_DISABLE_ACCESS_LOG = True  # the audit chain has the entries
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

AXES_ENABLE_ADMIN = False  # locks are taken off on the person's page, with an entry

# the system settings: lists to look at; every change goes through the office's own pages
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "教衡 系统设置",
    "SITE_HEADER": "教衡 系统设置",
    "SITE_SUBHEADER": "只看不改，修改到各自的页面",
    "SITE_URL": "/",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": True,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [lambda _request: static("web/settings.css")],
    "SCRIPTS": [lambda _request: static("web/settings.js")],
    "COLORS": {
        "primary": {
            "50": "#eef5fa",
            "100": "#e4eef5",
            "200": "#b9d3e4",
            "300": "#86bfe2",
            "400": "#4f93bd",
            "500": "#2a6f9b",
            "600": "#15547c",
            "700": "#124a6d",
            "800": "#0e3f5f",
            "900": "#0b304a",
            "950": "#071f30",
        }
    },
}

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": FILES}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

API_REQUESTS_A_MINUTE = int(os.environ.get("JIAOHENG_API_LIMIT", "600"))  # of one token

LIMITS = os.environ.get("JIAOHENG_LIMITS", "1") == "1"  # requests and expensive work by role (packs/limits.yaml)
MOST_BODY = 220 << 20  # bytes of one request: several workbooks at once; each file has its own limit
MOST_QUERY = 16_000  # signs of an address
DATA_UPLOAD_MAX_NUMBER_FILES = 1_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
SECOND_FACTOR = os.environ.get("JIAOHENG_SECOND_FACTOR", "0" if DEMO else "1") == "1"
SECOND_FACTOR_REMEMBER_DAYS = int(os.environ.get("JIAOHENG_REMEMBER_DAYS", "0"))
OIDC_ISSUER = os.environ.get("JIAOHENG_OIDC_ISSUER", "").rstrip("/")
OIDC_CLIENT_ID = os.environ.get("JIAOHENG_OIDC_CLIENT_ID", "")
OIDC_SECRET = os.environ.get("JIAOHENG_OIDC_SECRET", "")
OIDC_CLAIM = os.environ.get("JIAOHENG_OIDC_CLAIM", "preferred_username")

SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True  # pages send the mark by their forms and heads
if HTTPS:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"  # of this host and path, or not taken
    SECURE_HSTS_SECONDS = 365 * 86_400
    if PROXIES > 0:  # without a proxy of our own anybody could send this head
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

SILENCED_SYSTEM_CHECKS = ["axes.W003"]
LOGGING: dict[str, Any] = logs.configuration(DATA)
