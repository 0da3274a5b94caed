"""Remember everything decisive."""
