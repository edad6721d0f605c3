"""What every screen shares: security headers, built assets, htmx, template filters, charts, errors, the guard.

Owns no tables. Called by the factory (register_*) and by views; knows nothing of the packages above it.
"""
