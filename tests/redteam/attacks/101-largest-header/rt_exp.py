# @include:wire@


def solve(x):
    send(b" " * 65535 + b"{")
    send(b"{" + b" " * 65535 + b"}")
    return x * 0
