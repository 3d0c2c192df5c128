"""One thread for torch, as in a worker: two processes of tests would fight for two cores."""

import pytest


@pytest.fixture(autouse=True)
def one_thread(request):
    if "quick" in request.keywords:
        yield  # without torch
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
