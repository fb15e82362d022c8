"""Headless Chromium against the live server.

A test that takes ``browse`` fails by itself when a page breaks the Content-Security-Policy, writes
an error to the console, or asks this server for something that is not there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = os.environ.get("CARRYOVER_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

#: Answers that belong to a journey (a form refused, a lock-out) and are no fault of a page.
MEANT = {403, 404, 409, 422, 429}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is marked ``browser``; without a Chromium it is skipped."""
    absent = pytest.mark.skip(reason="no Chromium on this machine")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not Path(CHROMIUM).exists():
                item.add_marker(absent)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all journeys. Playwright's loop makes Django think it were asynchronous."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Browse:
    """Opens pages of the live server, as somebody or as a stranger, and watches them.

    ``allow`` are statuses that the test means to meet; ``problems`` what was seen otherwise.
    """

    def __init__(self, browser: Browser, address: str) -> None:
        self.address = address
        self.problems: list[str] = []
        self.allow: set[int] = set()
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def __call__(
        self,
        user: User | None = None,
        *,
        path: str = "",
        language: str = "en",
        scheme: Any = "light",
        phone: bool = False,
    ) -> Page:
        """A page of its own, logged in as ``user``, at ``path`` of the live server."""
        context = self._browser.new_context(
            base_url=self.address,
            viewport=PHONE if phone else WIDE,  # type: ignore[arg-type]  # plain dictionaries
            color_scheme=scheme,
            locale="ar" if language == "ar" else "en-GB",
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        cookies = {settings.LANGUAGE_COOKIE_NAME: language}
        if user is not None:
            client = Client()
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            cookies[settings.SESSION_COOKIE_NAME] = client.cookies["sessionid"].value
        for name, value in cookies.items():
            context.add_cookies([{"name": name, "value": value, "url": self.address}])
        context.add_init_script(
            "document.addEventListener('securitypolicyviolation', e =>"
            " console.error('CSP: ' + e.violatedDirective + ' ' + e.blockedURI));"
        )
        page = context.new_page()
        self._watch(page)
        if path:
            page.goto(path)
        return page

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._console(page, message))
        page.on("response", lambda response: self._answer(response.status, response.url))
        page.on("requestfailed", lambda request: self._failed(request.url, request.failure))

    def _console(self, page: Page, message: Any) -> None:
        # answers are judged by _answer, which knows their status
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(f"{page.url}: {message.text}")

    def _answer(self, status: int, url: str) -> None:
        if status >= 400 and status not in self.allow and url.startswith(self.address):
            self.problems.append(f"{url}: {status}")

    def _failed(self, url: str, failure: str | None) -> None:
        # a request that a page leaves behind is no fault of it, nor is a download
        if url.startswith(self.address) and failure != "net::ERR_ABORTED":
            self.problems.append(f"{url}: {failure}")

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def browse(browser: Browser, live_server: Any) -> Iterator[Browse]:
    """``browse(user, path="/admin/")`` opens a watched page; see `Browse`."""
    opened = Browse(browser, live_server.url)
    yield opened
    opened.close()
    assert opened.problems == []


@pytest.fixture
def assert_accessible() -> Callable[..., None]:
    """Fails with what axe found on the page, rule by rule; of ``rules`` only, where they are named.

    A rule that axe cannot decide is no fault.
    """

    def check(page: Page, *rules: str) -> None:
        # preloading would write the stylesheets that others import into the page, which no page may
        options: dict[str, Any] = {"preload": False, "resultTypes": ["violations"]}
        if rules:
            options["runOnly"] = list(rules)
        found = Axe().run(page, options=options).response["violations"]
        told = [
            f"{rule['id']}: {rule['help']}\n    "
            + "\n    ".join(f"{node['target']} {node['html'][:160]}" for node in rule["nodes"][:5])
            for rule in found
        ]
        assert not told, f"{page.url}\n" + "\n".join(told)

    return check


@dataclass(frozen=True)
class Way:
    """A way of looking at a page. ``rules`` are those of axe that can tell anything new, where it
    is not all of them: by night all is where it was by day, in other colours.
    """

    name: str
    language: str
    scheme: Any = "light"
    phone: bool = False
    rules: tuple[str, ...] = ()


_COLOURS: Final = "color-contrast"
_SIZES: Final = ("scrollable-region-focusable", "link-name", "button-name")

#: In this order: a page is loaded once for each language, and then looked at by other light and on
#: a smaller screen.
WAYS = [
    Way("light", "en"),
    Way("dark", "en", scheme="dark", rules=(_COLOURS,)),
    Way("phone", "en", phone=True),
    Way("arabic", "ar"),
    Way("arabic-phone", "ar", scheme="dark", phone=True, rules=(_COLOURS, *_SIZES)),
]
ALL_WAYS = [way.name for way in WAYS]


@pytest.fixture
def looks(browse: Browse) -> Callable[..., list[str]]:
    """A page in light, dark, Arabic and on a phone: none is too wide, none has a fault.

    ``looks(user, path, check=assert_accessible)`` answers the ways; with ``CARRYOVER_PICTURES`` it
    leaves pictures in that folder.
    """
    folder = os.environ.get("CARRYOVER_PICTURES")
    opened: dict[tuple[Any, str], Page] = {}

    def look(
        user: User | None,
        path: str,
        *,
        name: str = "",
        check: Callable[..., None] | None = None,
        only: Container[str] = ALL_WAYS,
    ) -> list[str]:
        chosen = [way for way in WAYS if way.name in only]
        for language, ways in groupby(chosen, key=lambda way: way.language):
            key = (user and user.pk, language)
            page = opened.get(key) or opened.setdefault(key, browse(user, language=language))
            page.set_viewport_size(WIDE)  # type: ignore[arg-type]  # a plain dictionary
            page.goto(path)
            for way in ways:
                page.emulate_media(color_scheme=way.scheme, reduced_motion="reduce")
                page.set_viewport_size(PHONE if way.phone else WIDE)  # type: ignore[arg-type]
                # colours change slowly: look at what they become
                page.evaluate("document.getAnimations().forEach(each => each.finish())")
                wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert wide <= 0, f"{path} is {wide} pixels too wide in {way.name}"
                if folder:
                    file = f"{name or path.strip('/').replace('/', '-')}-{way.name}.png"
                    page.screenshot(path=Path(folder) / file, full_page=True)
                if check is not None:
                    check(page, *way.rules)
        return [way.name for way in chosen]

    return look


@pytest.fixture
def worker(process_environment: dict[str, str]) -> Callable[[], Any]:
    """``with worker():`` a real worker process on the test's database."""

    @contextmanager
    def working() -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], env=process_environment, cwd=settings.BASE_DIR
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)

    return working
