"""The connector that carries out verbs declared in YAML over HTTP."""
