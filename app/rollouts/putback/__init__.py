"""Putting back what the file of a rollback holds: install_put_backs and install_put_back_rows. Used by the versions page."""
