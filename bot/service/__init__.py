"""The use cases, one file each: submit, decide, deliver, execute, settle, expire, halt, notify."""
