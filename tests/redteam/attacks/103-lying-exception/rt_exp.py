class Lies(type):
    def __getattribute__(cls, name):
        if name in ("__name__", "__qualname__", "__module__"):
            return "\x1b[31m" * 1000
        return super().__getattribute__(name)


class Lie(SyntaxError, metaclass=Lies):
    filename = property(lambda self: "/etc/passwd")
    lineno = property(lambda self: 10**400)
    msg = property(lambda self: 1 / 0)


def solve(x):
    error = Lie("no", (3, 4, 5, "x"))
    error.__cause__ = error.__context__ = None
    raise error
