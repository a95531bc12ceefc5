"""HTTP, WebSocket and server-sent events: parse, call a service, render; no rules live here."""
