"""Second copies of recordings: sent, held, tried and fetched back."""
