TEXT = "\x1b]52;c;Y2FsYw==\x07\x1b[2J\x1b[31m\u202e=cmd|' /C calc'!A0\n<script>alert(1)</script>\t[x](http://x.y)"


def solve(x):
    print(TEXT)
    raise ValueError(TEXT)
