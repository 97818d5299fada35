"""Strategies for talks, beside the playbook of the test kit."""

from hypothesis import strategies as st

from lapwing.events import Side
from lapwing.testing.playbook import KEY, Step, client, closes, cut, lost, passes, play, play_logins, server

__all__ = [
    "KEY",
    "SIZES",
    "Step",
    "any_steps",
    "client",
    "closes",
    "cut",
    "lost",
    "passes",
    "play",
    "play_logins",
    "server",
]


def any_steps(alphabet: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[Step]]:
    """Any talk made of such bytes, with holes and ends."""
    sides = st.sampled_from(Side)
    step = st.one_of(
        st.builds(lambda side, data: Step(side, data), sides, alphabet),  # else the other fields are made up too
        st.builds(lost, sides, st.integers(1, 5000)),
    )
    return st.lists(step, max_size=20).map(lambda steps: [*steps, closes(Side.CLIENT), closes(Side.SERVER)])


SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=8)
