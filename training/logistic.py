"""Logistic regression with a ridge penalty, for a handful of features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Logistic:
    """A fitted model: the probability is the logistic function of ``features @ weights + bias``."""

    weights: Floats  # (features,)
    bias: float

    def predict(self, features: Floats) -> Floats:
        """Probabilities, (samples,), from (samples, features)."""
        return np.asarray(expit(features @ self.weights + self.bias))


def fit_logistic(features: Floats, labels: NDArray[np.bool_], ridge: float) -> Logistic:
    """The most probable model.

    Args:
        features: (samples, features), best standardised, for the penalty is the same for all.
        labels: (samples,).
        ridge: times the squared weights is added to the mean log-loss; the bias goes free.
    """
    inputs = np.c_[features, np.ones(len(features))]
    signs = np.where(labels, 1.0, -1.0)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        penalised = np.r_[parameters[:-1], 0.0]
        margins = signs * (inputs @ parameters)
        value = np.logaddexp(0, -margins).mean() + ridge * (penalised @ penalised)
        slope = inputs.T @ (-signs * expit(-margins)) / len(inputs) + 2 * ridge * penalised
        return float(value), slope

    found = minimize(loss, np.zeros(inputs.shape[1]), jac=True, method="L-BFGS-B").x
    return Logistic(found[:-1], float(found[-1]))
