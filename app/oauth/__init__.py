"""Dramac as an OAuth 2.0 provider: applications, consent, codes, tokens and their revocation.

Tables: external_oauth_clients, external_oauth_grants, external_oauth_codes, external_oauth_tokens. Called by the gateway,
which takes access tokens beside API keys. Rules: RFC 6749, 7636 (S256 only), 7009, 8414, 9207, 9700.
"""
