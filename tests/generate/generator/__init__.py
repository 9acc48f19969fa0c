"""Policies made up at random along the grammar, and packets that lean towards what they say.

    choose = random.Random(7)
    text = policy_text(choose)              # without errors
    policy_text(choose, like=PF)            # nor anything that pf refuses
    packets(read(text), choose, 100)        # what to ask of it

The same seed gives the same text. `TUNNELGATE_POLICIES` says how many the tests take.
"""

from .packets import packets
from .policies import Draft, draft, policy_text
from .profiles import ANYTHING, PF, Profile, profile
from .rendering import render, untidy
from .zones import Ground, ground

__all__ = [
    "ANYTHING",
    "PF",
    "Draft",
    "Ground",
    "Profile",
    "draft",
    "ground",
    "packets",
    "policy_text",
    "profile",
    "render",
    "untidy",
]
