# @include:wire@


def solve(x):
    number = nonce()
    send(b'{"nonce": %d, "ok": true, "kinds": NaN, "buffers": [["float64", [Infinity]]]}' % number)
    return x * 0
