"""Intervals and tests for few questions."""

from __future__ import annotations

from math import comb
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm.learning.intervals import clustered, sign_test, wilson


def test_wilson_gives_the_published_numbers() -> None:
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for right, asked, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        found = wilson(right / asked, asked)
        assert found.low == pytest.approx(low, abs=5e-5)
        assert found.high == pytest.approx(high, abs=5e-5)


@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=60))
def test_an_interval_holds_its_share_and_is_never_narrower_than_without_clusters(results) -> None:
    found = clustered(results)
    plain = wilson(sum(right for _, right in results) / len(results), len(results))
    assert 0 <= found.low <= found.share + 1e-12
    assert found.share - 1e-12 <= found.high <= 1
    assert found.low <= plain.low + 1e-12
    assert found.high >= plain.high - 1e-12


def test_two_wordings_that_always_agree_count_as_one_question() -> None:
    doubled = [(fact, fact < 7) for fact in range(10) for _ in range(2)]
    single = [(fact, fact < 7) for fact in range(10)]
    assert clustered(doubled).low == pytest.approx(clustered(single).low, abs=0.02)
    assert clustered(doubled).high == pytest.approx(clustered(single).high, abs=0.02)


@pytest.mark.parametrize(("share", "facts"), [(0.2, 12), (0.5, 12), (0.8, 25), (0.95, 25)])
def test_the_interval_covers_the_truth_when_wordings_of_a_fact_agree_mostly(share, facts) -> None:
    random = Random(f"coverage {share} {facts}")

    def document() -> list[tuple[int, bool]]:
        found = []
        for fact in range(facts):
            known = random.random() < share
            found += [(fact, known if random.random() < 0.7 else random.random() < share) for _ in range(2)]
        return found

    intervals = [clustered(document()) for _ in range(2000)]
    assert sum(one.low <= share <= one.high for one in intervals) / len(intervals) >= 0.93


def test_the_sign_test_is_the_exact_test_of_mcnemar() -> None:
    changes = [1.0] * 9 + [-1.0] * 2 + [0.0] * 30
    assert sign_test(changes) == pytest.approx(2 * sum(comb(11, k) for k in range(3)) / 2**11)
    assert sign_test([0.0] * 5) == 1
    assert sign_test([1.0] * 6) == 2 / 2**6
    assert sign_test([1.0, -1.0]) == 1


def test_there_is_no_share_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        clustered([])
