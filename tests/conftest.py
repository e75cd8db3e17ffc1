"""Shared fixtures. Files of `../shared` are test input only and may be absent."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# no timed assertions: a busy machine must not fail a test
settings.register_profile("jiaoheng", deadline=None)
settings.load_profile("jiaoheng")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the folder ../shared/{name} is not on this machine")
    return folder


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """Small inputs with the right value."""
    return _folder("cases")


@pytest.fixture(scope="session")
def shared_real() -> Path:
    """Real files of people who do this job."""
    return _folder("real")
