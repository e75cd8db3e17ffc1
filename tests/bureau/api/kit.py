"""A program at the API's door: a token of a person, requests as a program sends them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.test import Client

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_tokens import do_make_token

ROOT = "/api/v1"


def token_of(person: Any, *scopes: str, days: int = 30) -> str:
    """A fresh token; all scopes where none is named."""
    last = clock.today() + dt.timedelta(days=days)
    return do_make_token("试验", scopes or ("read", "write", "export"), last, acting_user=person)[1]


class Program:
    """Sends requests with one token. Every refusal that comes back is checked to be a problem of ours."""

    def __init__(self, person: Any = None, *scopes: str, token: str = "") -> None:
        self.token = token or (token_of(person, *scopes) if person is not None else "")
        self.client = Client(raise_request_exception=False)

    def send(self, method: str, path: str, sent: Any = None, *, status: int | None = None, **heads: str) -> Any:
        """The response; `status`: what it must be. Underscores in head names are hyphens."""
        given = {name.replace("_", "-"): value for name, value in heads.items()}
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        more: dict[str, Any] = {}
        if sent is not None:
            more = {"data": sent if isinstance(sent, (bytes, str)) else json.dumps(sent)}
            more["content_type"] = given.pop("Content-Type", "application/json")
        response = self.client.generic(method, ROOT + path if path.startswith("/") else path, headers=given, **more)
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json", response.content
            body = json.loads(response.content)
            assert {"type", "title", "status", "detail", "code"} <= set(body)
            assert body["status"] == response.status_code
        if status is not None:
            assert response.status_code == status, (response.status_code, response.content[:600])
        return response

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """The content of an answer."""
        from urllib.parse import urlencode

        text = urlencode(query, doseq=True)
        return json.loads(self.send("GET", path + (f"?{text}" if text else ""), status=status).content)

    def post(self, path: str, sent: Any = None, status: int = 200, **heads: str) -> Any:
        """The content of an answer to a post."""
        return json.loads(self.send("POST", path, sent if sent is not None else {}, status=status, **heads).content)

    def patch(self, path: str, sent: Any, status: int = 200, **heads: str) -> Any:
        """The content of an answer to a change."""
        return json.loads(self.send("PATCH", path, sent, status=status, **heads).content)
