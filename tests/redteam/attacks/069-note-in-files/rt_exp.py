# @include:state@
import os
import tempfile

PLACES = {
    os.getcwd(),
    os.path.dirname(os.getcwd()),
    os.path.dirname(os.path.abspath(__file__)),
    tempfile.gettempdir(),
    os.path.expanduser("~"),
    "/tmp",
    "/var/tmp",
    "/dev/shm",
}


def write():
    for place in PLACES:
        try:
            open(os.path.join(place, "@tag@-note"), "w").close()
        except OSError:
            pass


def read():
    return any(os.path.exists(os.path.join(place, "@tag@-note")) for place in PLACES)


carry(write, read)
