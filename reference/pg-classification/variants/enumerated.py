"""Every action of every image in turn, weighted with its probability."""

import torch


def _slope_of_log(logits, classes, factors):
    """factor · ∂ log y_c / ∂z of every image."""
    z = logits.detach().clone().requires_grad_()
    with torch.enable_grad():
        log_y = torch.log_softmax(z, dim=-1)
        total = (factors * log_y[torch.arange(len(z)), classes]).sum()
    return torch.autograd.grad(total, z)[0]


def _reward(actions, targets, r_wrong, r_right):
    right, wrong = (torch.tensor(r, dtype=torch.float64) for r in (r_right, r_wrong))
    return torch.where(actions == targets, right, wrong)


def reinforce_update(logits, actions, targets, r_wrong, r_right):
    return _slope_of_log(logits, actions, _reward(actions, targets, r_wrong, r_right))


def cross_entropy_update(logits, targets):
    return _slope_of_log(logits, targets, 1.0)


def _all_updates(logits, targets, r_wrong, r_right, baselines):
    """Probabilities [k b] and updates [k b k] of all actions."""
    y, updates = torch.softmax(logits, dim=-1), []
    for action in range(logits.shape[1]):
        chosen = torch.full_like(targets, action)
        rewards = _reward(chosen, targets, r_wrong, r_right)
        updates.append(_slope_of_log(logits, chosen, rewards - baselines))
    return y.T, torch.stack(updates)


def expected_update(logits, targets, r_wrong, r_right):
    chances, updates = _all_updates(logits, targets, r_wrong, r_right, 0.0)
    return torch.einsum("ab,abk->bk", chances, updates)


def total_variance(logits, targets, r_wrong, r_right, baselines):
    chances, updates = _all_updates(logits, targets, r_wrong, r_right, baselines)
    mean = torch.einsum("ab,abk->bk", chances, updates)
    return torch.einsum("ab,abk->b", chances, (updates - mean) ** 2)


def log_prob_changes(logits, targets, r_wrong, r_right):
    _, updates = _all_updates(logits, targets, r_wrong, r_right, 0.0)
    columns = []
    for action, update in enumerate(updates):
        along = _slope_of_log(logits, torch.full_like(targets, action), 1.0)
        columns.append((along * update).sum(-1))
    return torch.stack(columns, dim=-1)


def policy_loss(weights, images, actions, targets, r_wrong, r_right):
    nll = torch.nn.functional.cross_entropy(images @ weights, actions, reduction="none")
    return torch.dot(nll, _reward(actions, targets, r_wrong, r_right)) / len(images)


def train(weights, images, targets, r_wrong, r_right, rate, steps):
    one, other = weights.clone(), weights.clone()
    for _ in range(steps):
        up = expected_update(images @ one, targets, r_wrong, r_right)
        one = one + rate * torch.einsum("bd,bk->dk", images, up) / images.shape[0]
        up = cross_entropy_update(images @ other, targets)
        other = other + rate * torch.einsum("bd,bk->dk", images, up) / images.shape[0]
    return one, other
