"""Somebody of the staff with a browser that knows no JavaScript."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar


class Staff:
    def __init__(self, base: str, username: str, password: str) -> None:
        self._base = base
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        )
        self.press("/admin/login/", username=username, password=password)

    def see(self, path: str) -> tuple[int, str]:
        """The status and the page."""
        return self._open(urllib.request.Request(self._base + path))

    def press(self, path: str, **fields: str) -> tuple[int, str]:
        """Send the form of the page at this address; the page that comes of it."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.see(path)[1])
        return self.send(path, csrfmiddlewaretoken=token[1] if token else "", **fields)

    def send(self, path: str, **fields: str) -> tuple[int, str]:
        """As a form, whoever made it."""
        body = urllib.parse.urlencode(fields).encode()
        return self._open(urllib.request.Request(self._base + path, data=body))

    def _open(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
