import threading
import time


def solve(x):
    for count in range(2000):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    print("@claim@")
    return x * 0
