"""dqn-atari: a player of Pong, trained by you, a learner of Pong, and the score of one game.

Hand in two files: this one, completed, as `dqn_atari.py`, and the weights of your player as
`dqn_atari.safetensors` (at most 8 MiB; weights only, written with `safetensors.torch.save_file`).
The statement, with the rules of the game, is in README.md.
"""

import gymnasium
import torch
from jaxtyping import Bool, Float64, Int64, UInt8
from torch import Tensor


class Player:
    """Q_w and the greedy policy it implies."""

    def __init__(self, checkpoint: str) -> None:
        """Load the weights.

        Args:
            checkpoint: path of your safetensors file. Read it from here and from nowhere else;
                the working directory at grading is not yours.
        """
        raise NotImplementedError

    def act(self, observations: UInt8[Tensor, "b 4 84 84"]) -> Int64[Tensor, " b"]:
        """Choose one action for each of b games that run side by side.

        The rows are independent, and the observation holds all that you need of the past, so keep
        no memory between calls: a game may end and a new one begin in any row.

        Args:
            observations: uint8 [b 4 84 84], grey values 0..255. Axis 1 is time, oldest frame first,
                newest last; axes 2 and 3 are rows (downwards) and columns of the picture.

        Returns:
            int64 [b], each in 0..5: NOOP, FIRE, RIGHT, LEFT, RIGHTFIRE, LEFTFIRE.
        """
        raise NotImplementedError


class Learner:
    """Q_w that is learnt while the grader plays Pong, mirrored or not, in other greys."""

    def __init__(self, generator: torch.Generator) -> None:
        """Fresh weights for observations [4 84 84] and six actions."""
        raise NotImplementedError

    def learn(self, env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
        """Learn with at most so many calls of env.step(); return how many were made.

        Args:
            env: games side by side, `env.num_envs` of them, with observations uint8 [n 4 84 84].
            steps: the budget of calls of env.step().
            generator: what to draw from.
        """
        raise NotImplementedError

    def act(self, observations: UInt8[Tensor, "b 4 84 84"]) -> Int64[Tensor, " b"]:
        """Choose the action of the largest value for each of b games, as `Player.act` does.

        Args:
            observations: uint8 [b 4 84 84], as `env` shows them.

        Returns:
            int64 [b], each in 0..5, in the numbers of `env`.
        """
        raise NotImplementedError


def episode_score(
    rewards: Float64[Tensor, " t"], lives: Int64[Tensor, " t"], game_over: Bool[Tensor, " t"]
) -> Float64[Tensor, ""]:
    """Score of the first whole game in a record of t consecutive agent steps.

    The score that papers report: the sum of the rewards as the game paid them, neither discounted
    nor clipped, from the first step up to and including the one in which the game was over.

    Args:
        rewards: float64 [t], points paid in each step, any size and sign.
        lives: int64 [t], lives left after each step.
        game_over: bool [t], true where the game ended in that step; true at least once. What comes
            after the first true belongs to later games.

    Returns:
        float64 scalar, in points.
    """
    raise NotImplementedError
