"""The kernel: events, outbox, relay, inbox. It knows no app and no business rule."""
