"""Networks that turn images into features. Everything here needs torch."""
