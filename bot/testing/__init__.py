"""Conformance suites and fakes for whoever adds a chat, a connector or a store."""
