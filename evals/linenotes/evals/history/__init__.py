"""What all stored samples of one version tell: which cases are flaky, whether a gate keeps calm."""
