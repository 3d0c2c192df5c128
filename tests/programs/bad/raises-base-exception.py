class Base(BaseException):
    pass


def square(x):
    raise Base("from the root")
