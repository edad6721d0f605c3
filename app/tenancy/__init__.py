"""Whose it is: agencies, their people, invitations, clients, sites.

Tables: agencies, memberships, invitations, clients, sites. Called by everything that belongs to a tenant.
"""
