# @include:wire@


def solve(x):
    send({"nonce": nonce(), "ok": False, "cause": ["exception"], "message": 7})
    return x * 0
