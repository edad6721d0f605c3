"""The API's door: keys, limits, repeated writes, CORS, the request log, OpenAPI, and the key screens.

Owns api_keys, idempotency_keys and external_api_requests. Rows of modules are read and written by runtime.data only.
"""
