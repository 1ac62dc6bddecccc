from __future__ import annotations

import math

import pytest

from vrsdk import LatencyBudget, UsageError
from vrsdk.runtime.budget import FREE_AFTER, STARVED, FrameBudget


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hand:
    return Hand()


def test_without_a_frame_loop_the_model_runs_freely(clock: Hand) -> None:
    assert FrameBudget(clock, 0.004).take(10.0)


def test_a_pass_runs_only_if_it_ends_inside_the_grant(clock: Hand) -> None:
    frame = FrameBudget(clock, 0.004)
    frame.grant(0.004)
    assert frame.take(0.003)
    clock.now += 0.003
    assert not frame.take(0.003)


def test_a_frame_never_grants_more_than_the_budget_of_a_frame(clock: Hand) -> None:
    frame = FrameBudget(clock, 0.004)
    frame.grant(1.0)
    assert frame.take(0.004)
    assert not frame.take(0.005)


@pytest.mark.parametrize("slack", [0.0, -0.01, math.nan, math.inf])
def test_no_slack_grants_nothing(clock: Hand, slack: float) -> None:
    frame = FrameBudget(clock, 0.004)
    frame.grant(slack)
    assert not frame.take(0.001)


def test_where_no_grant_is_long_enough_a_pass_now_and_then_runs_all_the_same(clock: Hand) -> None:
    frame = FrameBudget(clock, 0.004)
    ran = 0
    for _ in range(90):  # one second at 90 Hz
        frame.grant(0.001)
        ran += frame.take(0.003)
        clock.now += 1 / 90
    assert 1 <= ran <= 1 / STARVED + 1


def test_a_loop_that_stops_granting_sets_the_model_free(clock: Hand) -> None:
    frame = FrameBudget(clock, 0.004)
    frame.grant(0.0)
    clock.now += FREE_AFTER + 0.01
    assert frame.take(1.0)


@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, "1"])
def test_a_budget_that_means_nothing_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match=r"LatencyBudget\(total="):
        LatencyBudget(total=value)
