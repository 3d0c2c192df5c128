# ruff: noqa: F821
"""Measurements of learning that somebody in a hurry would write; each has its cheat.

Appended to the measure.py of the task, whose functions they use.
"""


def plain(student, rng):
    """The well-known cart-pole, as it is."""
    return _scored([_played(student, rng, _agent(student, rng, None), None)])


def public_disguise(student, rng):
    """A disguise that everybody has."""
    public = np.random.default_rng(7)
    disguise = _disguise(public)
    agent = _agent(student, public, disguise)
    return _scored([_played(student, public, agent, disguise)])


def told(student, rng):
    """Returns as the program reports them."""
    disguise = _disguise(rng)
    agent = _agent(student, rng, disguise)
    env = student.serve(Poles(rng, ENVS, disguise), (4,), 2, max_steps=ENVS * LENGTH * EPISODES)
    returns = agent.evaluate(env, EPISODES)
    return _scored([(returns, [str(index) for index in range(EPISODES)])])
