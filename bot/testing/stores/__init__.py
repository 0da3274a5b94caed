"""The parts of the store's conformance suite, by what they look at."""
