class Meta(type):
    @property
    def __name__(cls):
        raise RuntimeError("no name")


class Unnameable(Exception, metaclass=Meta):
    pass


def square(x):
    raise Unnameable
