"""The catalogue of events and commands, made from the code: for people, as AsyncAPI, as JSON Schema."""
