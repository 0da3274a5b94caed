"""What the bot asks of the outside world, one Protocol a file."""
