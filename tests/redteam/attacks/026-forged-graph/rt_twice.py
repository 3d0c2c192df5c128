# @include:wire@


def twice(x):
    if x.requires_grad:
        header = {"nonce": nonce(), "ok": True, "kinds": ["tensor"], "graph": None}
        header["buffers"] = [["float64", [len(x)]]]
        send(header, struct.pack(f"<{len(x)}d", *([2.0] * len(x))))
    return x + x
