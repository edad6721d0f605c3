"""Inbound webhooks: other services send signed messages to an install, and a function of its module gets each of them once.

Tables: inbound_hooks, inbound_receipts, inbound_seen, inbound_refusals. What a module takes stands in its manifest. The
address belongs to the API; what proves a message is its signature (docs/inbound.md).
"""
