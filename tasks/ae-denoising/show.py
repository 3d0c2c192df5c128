"""What is drawn of ae-denoising: digits, what noise makes of them, and what the network does."""

import numpy as np

TRAINING, SIDE, SHOWN = 1297, 8, 12


def show(student, rng):
    parts = student.images().split(rng, TRAINING)
    training, fresh = (part.deformed(rng).binary().reshape(-1, SIDE**2) for part in parts)
    digits = fresh[:SHOWN].astype(np.float32)
    model = student.new("DAE")
    model.fit(training.astype(np.float32), student.generator())
    noisy, denoised = model.demonstrate(digits, rng.normal(size=digits.shape).astype(np.float32))
    before, after = (((x - digits) ** 2).sum(axis=1).mean() for x in (noisy, denoised))
    shown = np.clip((noisy + 0.5) / 2, 0.0, 1.0)  # from -½ to 1½
    shown[~np.isfinite(noisy)] = np.nan
    images = np.reshape([digits, shown, denoised], (3, SHOWN, SIDE, SIDE))
    return [
        {
            "title": "Digits, with noise, and denoised",
            "alt": f"{SHOWN} digits, the same with noise, drawn from -½ (white) to 1½ (dark), and "
            f"what your network makes of them. The squared error falls from {before:.3g} to "
            f"{after:.3g} an image.",
            "images": images,
            "rows": ["digit", "noisy", "denoised"],
        }
    ]
