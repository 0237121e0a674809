"""Who asks: everybody whose permissions lead to answers of their own."""

from random import Random

from crmkit import Actor, Crm

_ODD = 4


def actors_of(crm: Crm, rng: Random) -> dict[str, Actor]:
    """Return callers by role: those of crmkit, a few that lack something, and odd ones."""
    every = frozenset(crm.registry.permissions)
    roles = {
        **crm.roles.by_name,
        "reader": frozenset(each for each in every if each.endswith((".read", ".use"))),
        "without customers.read": every - {"customers.read"},
        "without transactions.read": every - {"transactions.read"},
        "without customers.contact": every - {"customers.contact"},
        "without extras": frozenset(each for each in every if not each.startswith("extras")),
        "nobody": frozenset(),
    }
    for number in range(_ODD):
        share = rng.choice((0.4, 0.7, 0.9))
        chosen = frozenset(each for each in sorted(every) if rng.random() < share)
        roles[f"odd {number}"] = chosen
    return {name: Actor("tester", name, permissions) for name, permissions in roles.items()}
