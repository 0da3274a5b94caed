"""The pure steps: each takes a snapshot and says what changes, what is recorded, what follows."""
