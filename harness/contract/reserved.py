"""Names that a starter must not define: what measurements call means the harness's own verb.

``harness.collect`` defines the verbs; a test holds these lists to the public names of its classes.
"""

#: Public names of a program's proxy: no function or class of a starter may have one.
PROGRAM_NAMES = frozenset(
    {
        *("new", "vjp", "independent", "renew", "refuse", "transcript"),
        *("generator", "given", "file", "serve"),
    }
)
#: Public names of the handle of an object: no method of a class may have one.
HANDLE_NAMES = frozenset({"state", "load"})
