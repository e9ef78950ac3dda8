"""The attack programs of the plain suite, in the mode that this machine has, a few times each."""

import pytest

from tests.attack import catalogue, modes, running

PROGRAMS = catalogue.read_all()
# Luck is for `make attack`; here a race shows that it still runs, and is won where it is easily won.
ROUNDS = 2

pytestmark = [pytest.mark.kernel, pytest.mark.attack]


@pytest.fixture(scope="module")
def arena(interpreter):
    with modes.arena(modes.Mode("landlock", "auto", modes.own_user()), interpreter) as found:
        yield found


@pytest.mark.parametrize("key", [key for key, program in PROGRAMS.items() if program.suite == "plain"])
def test_an_attack_gains_nothing(arena, key):
    program = PROGRAMS[key]
    judgement = running.run(arena, program, rounds=min(program.repeat, ROUNDS))
    assert judgement.verdict in {"blocked", "open", "n/a"}, judgement.evidence
