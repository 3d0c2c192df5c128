"""Names that a starter must not define, since measurements would not reach them.

A measurement calls a program through a proxy of :mod:`harness.collect`. There the proxy's own
methods come before the functions of the starter. A test compares these lists with the public
names of the proxy's classes.
"""

#: Public names of the proxy of a program: no function or class of a starter may have one.
PROGRAM_NAMES = frozenset(
    {
        *("new", "vjp", "independent", "renew", "refuse", "transcript"),
        *("generator", "given", "file", "serve", "domain", "images", "example"),
        *("environment", "source", "notice", "served"),
    }
)
#: Public names of the handle of an instance: no method of a class in a starter may have one.
HANDLE_NAMES = frozenset({"state", "load"})
