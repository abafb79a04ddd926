"""Linear layers that are fitted in one go."""

import torch
from torch import Tensor


class LeastSquares:
    """A linear layer that makes of some rows, as nearly as it can, what it is shown.

    Args:
        given, wanted: width of the rows, and of what is to be made of them.
        ridge: penalty on the weights' squares, as a share of the rows' mean square.
    """

    def __init__(self, given: int, wanted: int, ridge: float) -> None:
        self._ridge = ridge
        self._squares = torch.zeros(given + 1, given + 1, dtype=torch.float64)
        self._products = torch.zeros(given + 1, wanted, dtype=torch.float64)

    def show(self, rows: Tensor, wanted: Tensor, times: Tensor | None = None) -> None:
        """Rows, (N, given), what is to be made of them, (N, wanted), and how often each counts."""
        with_one = torch.cat([rows, rows.new_ones(len(rows), 1)], dim=1)
        counted = with_one if times is None else with_one * times.unsqueeze(1)
        self._squares += counted.T @ with_one
        self._products += counted.T @ wanted

    def state(self) -> dict[str, Tensor]:
        """Of the layer, an `nn.Linear`."""
        ridge = self._ridge * self._squares.diagonal().mean()
        regularised = self._squares + ridge * torch.eye(len(self._squares))
        found = torch.linalg.solve(regularised, self._products).float()
        return {"weight": found[:-1].T, "bias": found[-1]}
