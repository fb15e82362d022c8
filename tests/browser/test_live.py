"""live.js: parts that refresh themselves, and forms that are sent once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from playwright.sync_api import expect

from config.urls import urlpatterns as product

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.browser.test_live")]

PAGE = Template("""{% extends "admin/base_site.html" %}{% block content %}
<section data-live="/fragment/" data-live-seconds="0.1"><p>answer 0</p></section>
<form method="post" action="/slow/" target="_self" data-submit-once>
<button type="submit">Do it</button></form>{% endblock %}""")

answers: Iterator[int] = itertools.count(1)
posted: list[str] = []


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE.render(RequestContext(request, {"title": "Live"})))


def fragment(request: HttpRequest) -> HttpResponse:
    """Fails once, keeps an open part open, and is done with the fifth answer."""
    number = next(answers)
    if number == 2:
        return HttpResponse("no", status=503)
    done = "<span data-live-done></span><p data-live-announce>All done</p>" if number >= 5 else ""
    return HttpResponse(
        f'<details id="more"><summary>More</summary>x</details>answer {number}{done}'
    )


@csrf_exempt
def slow(request: HttpRequest) -> HttpResponse:
    posted.append(request.method or "")
    return HttpResponse(status=204)  # the page stays, as with a download


urlpatterns: list[Any] = [
    path("live/", page),
    path("fragment/", fragment),
    path("slow/", slow),
    *product,
]


def test_a_live_part_survives_an_error_keeps_what_is_open_and_tells_its_end(browse):
    global answers
    answers = itertools.count(1)
    browse.allow = {503}
    user = User.objects.create_superuser("amal")
    shown = browse(user, path="/live/")
    expect(shown.get_by_text("answer 1")).to_be_visible()
    shown.get_by_text("More").click()
    expect(shown.get_by_text("answer 5")).to_be_visible()
    assert shown.locator("#more").get_attribute("open") is not None
    expect(shown.locator("#live-announcer")).to_have_text("All done")
    shown.wait_for_timeout(400)
    assert next(answers) == 6


def test_a_form_that_is_pressed_twice_is_sent_once(browse):
    posted.clear()
    shown = browse(User.objects.create_superuser("amal"), path="/live/")
    shown.get_by_role("button", name="Do it").dblclick()
    shown.wait_for_timeout(300)
    assert posted == ["POST"]
