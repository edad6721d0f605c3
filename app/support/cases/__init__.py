"""Case bundles: what somebody needs to look into a fault of one install, kept as it was, behind a link that ends.

Tables: case_bundles. Secrets, addresses of people and networks are left out before anything is kept.
"""
