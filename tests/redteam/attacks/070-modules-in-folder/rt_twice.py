import json
import sys

sys.modules.pop("fractions", None)
import fractions


def twice(x):
    return x + x
