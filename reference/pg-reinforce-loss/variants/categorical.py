"""Distributions and cross-entropies of torch, gradients by autograd, powers of γ as a matrix."""

import torch
from torch.distributions import Categorical
from torch.nn import functional


def log_prob(states, actions, theta, start, transitions):
    chosen = Categorical(logits=theta[states]).log_prob(actions)
    dynamics = torch.log(start)[states[:, 0]]
    for t in range(states.shape[1] - 1):
        dynamics = dynamics + torch.log(transitions)[states[:, t], actions[:, t], states[:, t + 1]]
    return dynamics + chosen.sum(-1)


def prob_gradient(states, actions, theta, start, transitions):
    def probability(parameters, states, actions):
        pi = torch.softmax(parameters, dim=1)[states, actions]
        moves = transitions[states[:-1], actions[:-1], states[1:]]
        return start[states[:1]].squeeze(0) * torch.prod(pi) * torch.prod(moves)

    gradient = torch.func.grad(probability)
    return torch.func.vmap(gradient, in_dims=(None, 0, 0))(theta, states, actions)


def _powers(steps, gamma):
    """γ^(t' - t) at [t', t] for t' ≥ t, otherwise 0."""
    ahead = torch.arange(steps)[:, None] - torch.arange(steps)
    return torch.tril(gamma ** ahead.clamp(min=0).double())


def total_return(rewards, gamma):
    return (rewards @ _powers(rewards.shape[1], gamma))[:, :1]


def reward_to_go(rewards, gamma):
    return rewards @ _powers(rewards.shape[1], gamma)


def discounted_reward_to_go(rewards, gamma):
    factor = gamma ** torch.arange(rewards.shape[1]).double()
    return (rewards * factor).flip(1).cumsum(1).flip(1)


def reinforce_loss(logits, actions, weights):
    surprise = functional.cross_entropy(logits.transpose(1, 2), actions, reduction="none")
    return torch.einsum("bt,bt->b", surprise, weights.detach())


def total_return_loss(logits, actions, returns):
    surprise = functional.cross_entropy(logits.flatten(0, 1), actions.flatten(), reduction="none")
    weighted = surprise.view(actions.shape) * returns.data
    return weighted.sum() / len(weighted)
