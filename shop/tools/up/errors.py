"""What `up` says when it can't go on."""


class StartError(Exception):
    """Something needed can't be found or started. Its text is one sentence, with what to do, for a person to read."""
