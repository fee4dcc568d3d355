"""The papers are as the code and what is installed say."""

from __future__ import annotations

from shop.tools.papers.files import stale


def test_the_papers_are_fresh() -> None:
    assert [*stale()] == [], "Run: python manage.py papers"
