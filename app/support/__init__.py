"""What happened, to whom, and who may look: logs, audit trail, support access, health, case bundles, status.

Tables: failed_requests, log_searches, and those of its sub-packages. Called by nobody; reads what all the others keep.
"""
