"""gunicorn inside our own process: several server processes with threads, for every system but Windows."""

from __future__ import annotations

import os
from typing import Any

from gunicorn.app.base import BaseApplication

THREADS = 8


def run(host: str, port: int, processes: int) -> None:
    """Serve until a signal ends it. `processes` 0: as many as cores up to 4 on PostgreSQL, 2 on SQLite (one writer)."""
    Server(
        {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": processes or usual_processes(),
            "threads": THREADS,
            "worker_class": "gthread",
            "timeout": 120,
            "graceful_timeout": 20,
            "keepalive": 5,
            "max_requests": 20_000,  # a process is renewed now and then: what leaks somewhere does not add up
            "max_requests_jitter": 2_000,
            "loglevel": "warning",
            "control_socket_disable": True,
            "forwarded_allow_ips": "127.0.0.1,::1",
        }
    ).run()


def usual_processes() -> int:
    """See `run`."""
    cores = os.cpu_count() or 1
    return min(4, max(2, cores)) if os.environ.get("DATABASE_URL") else 2


class Server(BaseApplication):
    """gunicorn with settings given here instead of by its command line."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Put the settings in; one that this gunicorn does not know is left out."""
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, once in each process."""
        from jiaoheng.bureau.wsgi import application

        return application
