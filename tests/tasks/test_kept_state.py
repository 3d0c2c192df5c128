"""A program that keeps its network until one certain entry of the state changes is caught."""

import pytest

from tests.support.programs import load, outcomes, submission

#: Task, class, the entry without whose change nothing is loaded, and the checks that have to see it
KEEPING = [
    ("vae-digits", "VAE", "hidden.weight", ("encoder", "decoder", "terms", "marginal")),
    ("px-known-entropy", "PixelCNN", "layers.0.weight", ("logits", "log-prob")),
    ("vae-beta-tradeoff", "VAE", "encoder.0.weight", ("networks",)),
    ("ae-denoising", "DAE", "decoder.bias", ("network",)),
    ("vae-2d-gaussian", "VAE", "hidden.weight", ("networks",)),
    ("cvae-conditional", "CVAE", "prior.weight", ("networks", "likelihood")),
    ("px-mask", "PixelStack", "layers.0.bias", ("round-trip",)),
]
APPENDED = """


def _kept(self, state, *args, **kwargs):
    same = torch.equal(self.state_dict()["{entry}"], state["{entry}"])
    if not (same and self.__dict__.get("_filled")):
        self.__dict__["_filled"] = True
        torch.nn.Module.load_state_dict(self, state, *args, **kwargs)


{name}.load_state_dict = _kept
"""


@pytest.mark.parametrize(
    ("task", "name", "entry", "seen"), KEEPING, ids=[case[0] for case in KEEPING]
)
def test_a_network_that_is_kept_is_seen(task, name, entry, seen):
    loaded = load(task)
    source = loaded.reference.solution.files[loaded.spec.file].decode()
    program = submission(loaded, source + APPENDED.format(name=name, entry=entry))
    checks = [loaded.spec.check(item) for item in seen]
    found = {item: outcome.status for item, outcome in outcomes(loaded, program, checks)}
    assert found == dict.fromkeys(seen, "FAIL")
