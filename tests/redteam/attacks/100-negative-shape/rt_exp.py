# @include:wire@


def solve(x):
    header = {"nonce": nonce(), "ok": True, "kinds": ["tensor"]}
    send({**header, "buffers": [["float64", [-8]]]}, b"")
    return x * 0
