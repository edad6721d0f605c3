"""News: what happened, written in the same transaction as the change, delivered afterwards at least once.

Tables: events, event_deliveries, audit_log, audit_heads. Called by every package that changes something.
"""
