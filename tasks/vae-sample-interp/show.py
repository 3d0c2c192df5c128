"""What is drawn of vae-sample-interp: images of a decoder with two codes, of 8 x 8 pixels."""

import numpy as np

COUNT, SIDE = 11, 8


def _decoder(scale):
    """Weight [64 2] and bias [64]: how dark it gets to the right, and how dark upwards."""
    down, right = np.meshgrid(*[np.linspace(-1.0, 1.0, SIDE)] * 2, indexing="ij")
    return scale * np.stack([right.ravel(), -down.ravel()], axis=1), np.zeros(SIDE**2)


def _bar():
    """inner [8 2], outer [64 8], bias [64]: a bar whose column moves to the right with z1.

    Where z2 is 8, hidden unit i is tanh(z1 - p_i) with p = -7, -5 … 7, and a column is half the
    difference of two neighbours: far from a bar in between two others, if outputs are averaged.
    """
    inner = np.stack([np.ones(SIDE), -np.arange(-7.0, 8.0, 2.0) / 8], axis=1)
    columns = (np.eye(SIDE) - np.eye(SIDE, k=1)) / 2
    bias = np.append(np.zeros(SIDE - 1), 0.5)
    return inner, np.tile(columns, (SIDE, 1)), np.tile(bias, SIDE)


def _brightness(student, name, x, low=-2.0, high=2.0):
    """Outputs of a decoder between two numbers as images [n 8 8]."""
    if x.shape != (COUNT, SIDE**2):
        student.refuse(f"{name}: shape {x.shape}; expected {(COUNT, SIDE**2)}")
    shown = np.where(np.isfinite(x), np.clip((x - low) / (high - low), 0.0, 1.0), x)
    return shown.reshape(COUNT, SIDE, SIDE)


def show(student, rng):
    decode = student.given("linear", *_decoder(1.0))
    mu = np.stack([np.linspace(-1.6, 1.6, COUNT), np.zeros(COUNT)], axis=1)
    log_sigma, eps = np.full((COUNT, 2), -2.0), rng.normal(size=(COUNT, 2))
    noise = rng.normal(size=(COUNT, SIDE**2))
    eta = np.array(0.02)
    rebuilt, generated = student.two_rows(decode, mu, log_sigma, eta, eps, noise)
    own = student.sample(decode, eta, 2, COUNT, student.generator())
    lams = np.linspace(0.0, 1.0, COUNT)
    z1, z2 = np.array([6.0, 8.0]), np.array([-6.0, 8.0])
    way = student.interpolate(student.given("network", *_bar()), z1, z2, lams)
    logits = student.given("linear", *_decoder(3.0))
    bits = student.generate_bits(logits, eps, rng.uniform(0.001, 0.999, noise.shape))
    if bits.shape != noise.shape:
        student.refuse(f"generate_bits: shape {bits.shape}; expected {noise.shape}")
    rows = {"reconstructed": rebuilt, "generated": generated, "sample": own}
    seen = [_brightness(student, name, x) for name, x in rows.items()]
    return [
        {
            "title": "Observations of a decoder: darker to the right by z1, upwards by z2",
            "alt": f"{COUNT} images a row: reconstructions, the first dark at the left and the "
            "last at the right; images generated from given noise; the same codes as bits; your "
            "own samples.",
            "images": np.stack([*seen[:2], bits.reshape(seen[0].shape), seen[2]]),
            "rows": ["reconstructed", "generated", "bits", "your own samples"],
        },
        {
            "title": "A walk from the code z2 (a bar at the left) to z1 (a bar at the right)",
            "alt": f"{COUNT} images, λ from 0 to 1; the decoder's output at z2 comes first. A bar "
            "wanders where codes are interpolated, and fades where outputs are.",
            "images": _brightness(student, "interpolate", way, 0.0, 1.0)[None],
            "rows": ["interpolate"],
            "columns": [f"{lam:.1f}" for lam in lams],
        },
    ]
