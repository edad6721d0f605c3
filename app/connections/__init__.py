"""Modules that act at other services for somebody, over OAuth 2.0 where we are the client: connect, renew, reconnect, end.

Table: module_connections. What a module may connect to stands in its manifest; functions use a connection through
app/runtime/functions/connections.py, where the token is added outside the sandbox.
"""
