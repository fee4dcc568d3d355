"""Bad input by the thousand: what generators make of the API's own description (schemathesis), against a running shop."""
