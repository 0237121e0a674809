"""Subscriptions: from what was announced to answers over WebSockets and server-sent events."""
