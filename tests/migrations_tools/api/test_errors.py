"""Every error of the API is the same envelope, and tells nothing that it should not."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied, TooManyFieldsSent
from django.http import Http404
from django.utils import translation
from django.utils.translation import gettext
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from migrations_tools.exceptions import CarryoverError, InvalidOption, UnknownRun


def answer_to(error: Exception, **headers: str):
    class Failing(APIView):
        authentication_classes = ()
        permission_classes = (AllowAny,)

        def get(self, request):
            raise error

    answer = Failing.as_view()(APIRequestFactory().get("/", headers=headers))
    return answer.status_code, answer.data["error"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (exceptions.NotAuthenticated(), 403, "not_authenticated"),  # 401 needs an authenticator
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (PermissionDenied("model and path"), 403, "permission_denied"),
        (exceptions.NotFound(), 404, "not_found"),
        (Http404("No Session matches the given query."), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.ParseError(), 400, "parse_error"),
        (TooManyFieldsSent("DATA_UPLOAD_MAX_NUMBER_FIELDS"), 400, "parse_error"),
        (exceptions.Throttled(3), 429, "throttled"),
        (UnknownRun("There is no such run."), 404, "unknown_run"),
        (CarryoverError("Not now."), 409, "error"),
    ],
)
def test_errors_keep_their_class_and_code(error, status, code):
    answered, told = answer_to(error)
    assert (answered, told["code"]) == (status, code)
    assert set(told) == {"code", "message", "request_id"}
    assert "query" not in told["message"]
    assert "path" not in told["message"]


def test_fields_of_a_refusal_are_its_details():
    status, told = answer_to(CarryoverError("Not empty.", blocking={"bookings": 2}))
    assert (status, told["details"]) == (409, {"blocking": {"bookings": 2}})


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({}, {"field": ""}),
        ({"field": "options.a"}, {"field": "options.a"}),
        ({"field": "file", "size": 3}, {"field": "file"}),
    ],
)
def test_a_refusal_that_is_422_lists_what_cannot_be(named, told):
    status, error = answer_to(InvalidOption("No such option.", **named))
    assert (status, error["code"]) == (422, "invalid_option")
    field = {"code": "invalid_option", "message": "No such option.", **told}
    rest = {name: value for name, value in named.items() if name != "field"}
    assert error["details"] == {"fields": [field], **rest}


def test_invalid_fields_are_422_and_listed_with_their_paths():
    error = exceptions.ValidationError(
        {"title": ["Blank."], "rows": [{}, {"day": ["No day."]}]}, code="invalid"
    )
    status, told = answer_to(error)
    assert (status, told["code"]) == (422, "validation_failed")
    assert told["details"] == {
        "fields": [
            {"field": "title", "code": "invalid", "message": "Blank."},
            {"field": "rows.day", "code": "invalid", "message": "No day."},
        ]
    }


def test_an_unexpected_error_is_logged_with_the_request_and_told_without_its_words(caplog):
    status, told = answer_to(ZeroDivisionError("secret"), **{"X-Request-ID": "abc-1"})
    assert (status, told["code"], told["request_id"]) == (500, "internal_error", "abc-1")
    assert "secret" not in str(told)
    (record,) = [entry for entry in caplog.records if entry.name == "migrations_tools.api.errors"]
    assert "abc-1" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\r\nSet-Cookie: b"])
def test_a_request_id_that_is_none_is_replaced(given):
    _, told = answer_to(exceptions.NotFound(), **{"X-Request-ID": given})
    assert uuid.UUID(told["request_id"]).version == 4


def test_words_that_quote_lone_surrogates_can_be_told():
    _, told = answer_to(CarryoverError("No \ud800.", names=["\udfff"], by={"\ud800": 1}))
    assert (told["message"], told["details"]) == ("No �.", {"names": ["�"], "by": {"�": 1}})


def test_messages_are_told_in_the_language_that_is_asked_for_and_codes_in_none():
    def refused() -> UnknownRun:
        return UnknownRun(gettext("There is no such lesson."))

    english = answer_to(refused())[1]
    with translation.override("ar"):
        status, arabic = answer_to(refused())
        failed = answer_to(RuntimeError("secret"))[1]
    assert (status, arabic["code"]) == (404, english["code"])
    assert english["message"] == "There is no such lesson."
    assert arabic["message"] == "لا توجد حصة كهذه."
    assert failed["code"] == "internal_error"
    assert "رقم الطلب" in failed["message"]


def test_accept_language_asks_for_arabic(client):
    headers = {"accept": "application/json"}
    english = client.get("/api/v1/nowhere/", headers=headers).json()["error"]
    asked = client.get("/api/v1/nowhere/", headers=headers | {"accept-language": "ar"})
    assert asked.headers["Content-Language"] == "ar"
    assert "Accept-Language" in asked.headers["Vary"]
    assert asked.json()["error"]["code"] == english["code"] == "not_found"
    assert asked.json()["error"]["message"] != english["message"]
