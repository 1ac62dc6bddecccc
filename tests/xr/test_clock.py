from __future__ import annotations

import pytest

from vrsdk import xr


class Machine:
    """A machine whose sleeps end late and whose clock takes a while to read."""

    def __init__(self, lateness: float) -> None:
        self.time, self.lateness, self.sleeps = 100.0, lateness, 0

    def now(self) -> float:
        self.time += 1e-6
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.sleeps += 1
        self.time += seconds + self.lateness


@pytest.mark.parametrize("lateness", [0.0, 0.00005, 0.0004])
def test_a_real_wait_ends_within_one_short_sleep_of_its_deadline(lateness: float) -> None:
    machine = Machine(lateness)
    xr.RealClock(machine.now, machine.sleep).sleep_until(100.011)
    assert 0 <= machine.time - 100.011 < lateness + 0.00001


def test_a_real_wait_sleeps_a_few_times_and_never_spins() -> None:
    machine = Machine(0.00005)
    xr.RealClock(machine.now, machine.sleep).sleep_until(101.0)
    assert 1 < machine.sleeps < 20


def test_a_deadline_that_has_passed_is_not_waited_for() -> None:
    machine = Machine(0.0)
    xr.RealClock(machine.now, machine.sleep).sleep_until(99.0)
    assert machine.sleeps == 0
    clock = xr.VirtualClock(start=5.0)
    clock.sleep_until(3.0)
    assert clock.now() == 5.0


def test_virtual_time_goes_forwards_only() -> None:
    clock = xr.VirtualClock()
    clock.advance(0.5)
    clock.sleep_until(2.0)
    assert clock.now() == 2.0
    with pytest.raises(ValueError, match="forwards"):
        clock.advance(-1.0)
