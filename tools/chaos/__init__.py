"""A city that is made to suffer: every fault on command, and an account of every picture at the end."""
