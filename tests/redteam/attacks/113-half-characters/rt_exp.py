# @include:wire@


def solve(x):
    text = b'"\\ud800=\\u001b[31m"'
    header = b'{"nonce": %d, "ok": false, "cause": "exception", "message": %s, %s: 1}'
    send(header % (nonce(), text, text))
    return x * 0
