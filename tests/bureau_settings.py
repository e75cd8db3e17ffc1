"""Settings of the tests: a data folder and a database of the process's own, a quick password hash."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ["JIAOHENG_DATA"] = tempfile.mkdtemp(prefix="jiaoheng-test-")
os.environ["JIAOHENG_ENV"] = "demo"
os.environ["JIAOHENG_LIMITS"] = "0"  # a walk asks for thousands of pages a minute; their own tests switch them on
os.environ["JIAOHENG_SECRET_KEY"] = "tests-only"  # noqa: S105

from jiaoheng.bureau.settings import *  # noqa: F403
from jiaoheng.bureau.settings import DATA, DATABASES, PASSWORD_HASHERS

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": Path(DATA) / "test.sqlite3"}  # a file: two connections at once are tested
(Path(DATA) / "static").mkdir(exist_ok=True)  # whitenoise looks for it at start
# a test server's thread whose client keeps its line open would hold its connection, and the base could not be removed
DATABASES["default"]["CONN_MAX_AGE"] = 0
