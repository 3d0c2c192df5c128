"""Honest work of little worth: every pixel has its frequency, whatever the others are."""


def fit(images):
    p = images.mean(dim=0)
    return (p / (1 - p)).log().diag()


def logits(w, x):
    return w.diagonal().expand(x.shape).clone()
