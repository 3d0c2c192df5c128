"""The rules of the small Breakout, held against a slow one of a single game; its disguise."""

from types import SimpleNamespace

import numpy as np
import pytest

from harness import environments
from harness.environments import breakout
from harness.environments.breakout import CHANNELS, MOVES, PADDLE, SIZE, Board

FULL = {(row, column) for row in (1, 2, 3) for column in range(10)}


def game(row, column, down, right, paddle, bricks=FULL):
    """A board of one game in a given state."""
    board = Board(np.random.default_rng(0), 1)
    board.row[:], board.column[:], board.down[:], board.right[:] = row, column, down, right
    board.paddle[:] = paddle
    board.bricks[:] = False
    for cell in bricks:
        board.bricks[0][cell] = True
    return board


def state(board):
    fields = board.row, board.column, board.down, board.right
    return tuple(int(field[0]) for field in fields)


def stepped(board, move=0):
    removed, lost = board.step(np.array([move]))
    return state(board), bool(removed[0]), bool(lost[0])


@pytest.mark.parametrize("right", [-1, 1])
@pytest.mark.parametrize("down", [-1, 1])
def test_a_ball_moves_diagonally(down, right):
    assert stepped(game(5, 5, down, right, 2)) == ((5 + down, 5 + right, down, right), False, False)


@pytest.mark.parametrize(("column", "right", "then"), [(0, -1, 1), (9, 1, 8)])
def test_a_ball_turns_at_the_sides(column, right, then):
    assert stepped(game(6, column, 1, right, 2)) == ((7, then, 1, -right), False, False)


def test_a_ball_turns_at_the_top_and_in_a_corner():
    assert stepped(game(0, 4, -1, 1, 2, ())) == ((1, 5, 1, 1), False, False)
    assert stepped(game(0, 9, -1, 1, 2, ())) == ((1, 8, 1, -1), False, False)


@pytest.mark.parametrize(("row", "down"), [(4, -1), (0, 1)])
def test_a_brick_goes_and_the_ball_stays_and_turns(row, down):
    board = game(row, 4, down, 1, 2)
    assert stepped(board) == ((row, 4, -down, 1), True, False)
    left = {(int(y), int(x)) for y, x in np.argwhere(board.bricks[0])}
    assert left == FULL - {(row + down, 5)}


def test_a_brick_beside_a_wall_is_met_on_the_way_back():
    assert stepped(game(4, 9, -1, 1, 2)) == ((4, 9, 1, -1), True, False)


def test_a_brick_below_the_top_is_met_after_the_turn():
    assert stepped(game(0, 4, -1, 1, 2)) == ((0, 4, -1, 1), True, False)


@pytest.mark.parametrize(("paddle", "right"), [(6, -1), (4, 1)])
def test_the_ends_of_the_paddle_choose_the_side(paddle, right):
    assert stepped(game(8, 4, 1, 1, paddle)) == ((8, 5, -1, right), False, False)


def test_the_middle_of_the_paddle_leaves_the_side_to_chance():
    count = 2000
    board = Board(np.random.default_rng(3), count)
    board.row[:], board.column[:], board.down[:], board.right[:], board.paddle[:] = 8, 4, 1, 1, 5
    _, lost = board.step(np.zeros(count, dtype=np.int64))
    assert not lost.any()
    assert abs((board.right == 1).mean() - 0.5) < 0.06
    assert set(board.right) == {-1, 1}


@pytest.mark.parametrize("paddle", [3, 7])
def test_beside_the_paddle_a_ball_is_lost(paddle):
    assert stepped(game(8, 4, 1, 1, paddle)) == ((PADDLE, 5, 1, 1), False, True)


def test_the_paddle_moves_first_and_stays_on_the_board():
    assert stepped(game(8, 4, 1, 1, 3), 1) == ((8, 5, -1, 1), False, False)
    assert stepped(game(8, 4, 1, 1, 4), -1)[2]
    for paddle, move in ((1, -1), (8, 1)):
        board = game(5, 5, 1, 1, paddle)
        stepped(board, move)
        assert board.paddle[0] == paddle


def test_an_empty_wall_is_built_anew_at_the_paddle():
    board = game(7, 3, 1, 1, 5, ())
    stepped(board)
    assert not board.bricks.any()
    stepped(board)
    assert {(int(y), int(x)) for y, x in np.argwhere(board.bricks[0])} == FULL
    one_left = game(8, 4, 1, 1, 5, {(2, 2)})
    stepped(one_left)
    assert one_left.bricks.sum() == 1


def test_what_is_seen():
    board = game(5, 4, 1, -1, 3)
    stepped(board)
    seen = dict(zip(CHANNELS, board.seen()[0], strict=True))
    cells = {name: {(int(y), int(x)) for y, x in np.argwhere(seen[name])} for name in CHANNELS}
    paddle = {(9, 2), (9, 3), (9, 4)}
    assert cells == {"paddle": paddle, "ball": {(6, 3)}, "trail": {(5, 4)}, "bricks": FULL}


class Slow:
    """One game by loops and branches, whose chances are told."""

    def __init__(self, board, index):
        self.row, self.column = int(board.row[index]), int(board.column[index])
        self.down, self.right = int(board.down[index]), int(board.right[index])
        self.paddle = int(board.paddle[index])
        self.bricks = set(FULL)

    def step(self, move, side):
        self.paddle = min(8, max(1, self.paddle + move))
        if not 0 <= self.column + self.right <= 9:
            self.right = -self.right
        if self.row + self.down < 0:
            self.down = 1
        ahead = self.row + self.down, self.column + self.right
        if ahead in self.bricks:
            self.bricks.remove(ahead)
            self.down = -self.down
            return True, False
        if ahead[0] == 9 and abs(ahead[1] - self.paddle) <= 1:
            self.column, self.down = ahead[1], -1
            self.right = (ahead[1] - self.paddle) or side
            self.bricks = self.bricks or set(FULL)
            return False, False
        self.row, self.column = ahead
        return False, self.row == 9


def test_a_slow_game_goes_the_same_way():
    count, rng = 40, np.random.default_rng(4)
    board = Board(np.random.default_rng(5), count)
    slow = [Slow(board, index) for index in range(count)]
    bricks = losses = rebuilt = 0
    for _ in range(900):
        # mostly after the ball, so that some walls are brought down
        moves = np.sign(board.column - board.paddle)
        moves = np.where(rng.random(count) < 0.03, rng.integers(-1, 2, count), moves)
        walls = board.bricks.any(axis=(1, 2))
        removed, lost = board.step(moves)
        rebuilt += (board.bricks.any(axis=(1, 2)) & ~walls).sum()
        found = [each.step(int(moves[i]), int(board.right[i])) for i, each in enumerate(slow)]
        assert found == list(zip(removed.tolist(), lost.tolist(), strict=True))
        for i, each in enumerate(slow):
            place = each.row, each.column, each.down, each.right, each.paddle
            fields = board.row, board.column, board.down, board.right, board.paddle
            assert place == tuple(int(field[i]) for field in fields)
            assert each.bricks == {(int(y), int(x)) for y, x in np.argwhere(board.bricks[i])}
        bricks, losses = bricks + removed.sum(), losses + lost.sum()
        if lost.any():
            board.begin(np.flatnonzero(lost))
            for i in np.flatnonzero(lost):
                slow[i] = Slow(board, i)
    assert bricks > 1000
    assert losses > 10
    assert rebuilt


def test_what_is_drawn_at_the_start():
    board = Board(np.random.default_rng(6), 4000)
    assert (board.row == 5).all()
    assert (board.down == -1).all()
    for values, outcomes in (
        (board.column, range(10)),
        (board.paddle, range(1, 9)),
        (board.right, (-1, 1)),
    ):
        shares = [(values == outcome).mean() * len(outcomes) for outcome in outcomes]
        assert sum(shares) == pytest.approx(len(outcomes))
        np.testing.assert_allclose(shares, 1, atol=0.25)


PLAIN = SimpleNamespace(
    mirrored=False,
    channels=np.arange(4),
    order=np.arange(3),
    observation_shape=(4, 10, 10),
)


def test_a_disguise_mirrors_and_renumbers_and_does_nothing_else():
    found = set()
    for seed in range(12):
        disguise = breakout.Breakout(np.random.default_rng(seed))
        plain = breakout.BreakoutVector(PLAIN, np.random.default_rng(99), 8, 50)
        hidden = disguise.vector(np.random.default_rng(99), 8, 50)
        rng = np.random.default_rng(seed)
        theirs, ours = plain.reset()[0], hidden.reset()[0]
        for _ in range(80):
            shown = theirs[:, disguise.channels]
            assert np.array_equal(ours, shown[..., ::-1] if disguise.mirrored else shown)
            actions = rng.integers(3, size=8)
            theirs, *rest, _ = plain.step(disguise.order[actions])
            ours, *hidden_rest, _ = hidden.step(actions)
            assert all(map(np.array_equal, rest, hidden_rest))
        found.add((disguise.mirrored, *disguise.channels, *disguise.order))
    assert len(found) > 8
    assert {key[0] for key in found} == {False, True}


def test_an_observation_is_bool_and_says_so():
    env = environments.draw("breakout", rng := np.random.default_rng(1)).vector(rng, 3, 20)
    assert env.single_observation_space.dtype == bool
    assert env.reset()[0].dtype == bool
    assert env.single_observation_space.contains(env.reset()[0][0])


def returns(choose, count=400, length=200):
    """The mean return of episodes under a rule of the board, cut at a length."""
    board = Board(np.random.default_rng(7), count)
    playing, total = np.ones(count, dtype=bool), np.zeros(count)
    for _ in range(length):
        removed, lost = board.step(choose(board))
        total += removed * playing
        playing &= ~lost
    return total.mean()


def test_returns_of_simple_rules():
    rng = np.random.default_rng(8)
    assert returns(lambda board: rng.integers(-1, 2, board.count)) == pytest.approx(1.5, abs=0.15)
    for move in MOVES:
        assert returns(lambda board, move=move: np.full(board.count, move)) < 1.7
    after = returns(lambda board: np.sign(board.column - board.paddle))
    assert after == pytest.approx(19.2, abs=0.5)


def test_the_size_of_the_board_is_that_of_its_constants():
    assert (SIZE, PADDLE, len(CHANNELS)) == (10, 9, 4)
