"""Signatures of releases and the log they stand in. Owns publisher_keys, release_log, release_log_head.

Called where a version is published or withdrawn, and where one is put on a site.
"""
