"""What outsiders may see."""
