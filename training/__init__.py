"""How the model is made: data sets, training and evaluation."""
