# @include:state@

import os


def read():
    return "note" in os.listdir("..")


def write():
    os.mkdir("../note")


carry(write, read)
