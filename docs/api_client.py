"""A small client of Jiaoheng's API: python api_client.py ADDRESS TOKEN. Needs the package `requests`.

Reads one's own school, goes through a register page by page, changes a record with the version that was read, and
handles the three answers that every program meets: somebody was faster (409), a value is wrong (400), wait (429).
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import requests


class RefusedError(Exception):
    """Problem details of the server: `problem["detail"]` is a sentence for people, `places` says where."""

    def __init__(self, problem: dict[str, Any]) -> None:
        places = "".join(f"\n  {place}: {words}" for place, words in (problem.get("places") or {}).items())
        super().__init__(problem["detail"] + places)
        self.status, self.problem = problem["status"], problem


class Office:
    """One server, as the person who made the token."""

    def __init__(self, address: str, token: str) -> None:
        self.root = address.rstrip("/") + "/api/v1"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, **more: Any) -> Any:
        """The content of an answer; waits where the server asks to. Raises RefusedError."""
        while True:
            answer = self.session.request(method, self.root + path, timeout=60, **more)
            if answer.status_code == 429:
                time.sleep(int(answer.headers["Retry-After"]))
                continue
            if answer.status_code >= 400:
                raise RefusedError(answer.json())
            return answer.json()

    def records(self, register: str, **asked: Any) -> Iterator[dict[str, Any]]:
        """Every record of a list: filter=["total:from:45"], sort="-total", as_of="2025-10-15" …"""
        cursor = ""
        while cursor is not None:
            page = self.call("GET", f"/registers/{register}/records", params={**asked, "cursor": cursor})
            yield from page["items"]
            cursor = page["next"]

    def create(self, register: str, unit: int, values: dict[str, Any], period: str | None = None) -> dict[str, Any]:
        """A new record. The key makes a repeated sending one record, however often the network breaks."""
        key = str(uuid.uuid4())
        sent = {"unit": unit, "values": values, "period": period}
        for attempt in (1, 2, 3):
            try:
                path = f"/registers/{register}/records"
                return self.call("POST", path, json=sent, headers={"Idempotency-Key": key})
            except requests.ConnectionError:
                if attempt == 3:
                    raise
        raise AssertionError

    def change(self, record: int, values: dict[str, Any], reason: str = "") -> dict[str, Any]:
        """Change fields on the version as it is now; where somebody was faster, read again and put ours on top."""
        while True:
            now = self.call("GET", f"/records/{record}")
            try:
                sent = {"values": values, "base": now["version"], "reason": reason}
                return self.call("PATCH", f"/records/{record}", json=sent)
            except RefusedError as refused:
                if refused.status != 409:
                    raise
                print("又有人改过：", refused)

    def save_file(self, register: str, target: str, form: str = "csv") -> int:
        """The whole register as one file; how many rows."""
        path = f"{self.root}/registers/{register}/file"
        with self.session.get(path, params={"format": form}, stream=True, timeout=600) as answer:
            if answer.status_code >= 400:
                raise RefusedError(answer.json())
            with open(target, "wb") as out:
                out.writelines(answer.iter_content(1 << 16))
            return int(answer.headers["X-Row-Count"])


def main() -> None:
    """Say who we are and how much lies in each register."""
    office = Office(sys.argv[1], sys.argv[2])
    me = office.call("GET", "/me")
    print(f"{me['name']}，令牌“{me['token']['name']}”：{'、'.join(me['token']['scopes'])}")
    for one in office.call("GET", "/registers"):
        print(f"{one['title']}：{one['records']} 条，{one['units']} 个单位")


if __name__ == "__main__":
    main()
