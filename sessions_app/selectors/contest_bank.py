"""The part of the problem bank that contest documents refer to, by two queries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models.functions import Lower

from sessions_app.contests.problems import Bank, KnownProblem, ProblemKey, named_places
from sessions_app.contests.reading import ContestDocument
from sessions_app.models import Problem


def bank_of(documents: Iterable[ContestDocument]) -> Bank:
    """The problems of every contest that the documents name, and those of the ids they give."""
    contests: set[str] = set()
    refs: set[str] = set()
    for document in documents:
        for ref, place in named_places(document):
            refs.add(ref)
            if place is not None:
                contests.add(place.contest)
    problems = Problem.objects.alias(lower=Lower("contest_id"))
    in_contests = _known(problems.filter(lower__in=contests))
    by_id = _known(Problem.objects.filter(external_ids__overlap=list(refs - {""})))
    return Bank(
        {problem.key: problem for problem, _ in in_contests},
        {ref: problem for problem, own in by_id for ref in own if ref in refs},
    )


def _known(problems: Any) -> list[tuple[KnownProblem, list[str]]]:
    return [
        (
            KnownProblem(
                pk=pk,
                key=ProblemKey(contest.lower(), number),
                correct_answer=answer,
                difficulty=difficulty,
                topics=topics,
                choice_answer=choice,
                answer_key=letter,
            ),
            own,
        )
        for pk, contest, number, answer, difficulty, topics, choice, letter, own in (
            problems.order_by("-pk").values_list(
                "pk", "contest_id", "number", "correct_answer", "difficulty", "topics",
                "choice_answer", "answer_key", "external_ids",
            )
        )
    ]  # fmt: skip
