raise RuntimeError("not even once")
