"""Run each attack program of the plain suite a few times, in this machine's default mode."""

import pytest

from tests.attack import catalogue, modes, running

PROGRAMS = catalogue.read_all()
# `make attack` repeats races often. Here a race shows that it still runs, and wins if winning is easy.
ROUNDS = 2

pytestmark = [pytest.mark.kernel, pytest.mark.attack]


@pytest.fixture(scope="module")
def arena(interpreter):
    with modes.arena(modes.Mode("landlock", "auto", modes.own_user()), interpreter) as found:
        yield found


@pytest.mark.parametrize("key", [key for key, program in PROGRAMS.items() if program.suite == "plain"])
def test_attack_gains_nothing(arena, key):
    program = PROGRAMS[key]
    judgement = running.run(arena, program, rounds=min(program.repeat, ROUNDS))
    assert judgement.verdict in {"blocked", "open", "n/a"}, judgement.evidence
