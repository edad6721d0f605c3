"""Every write to agencies, members, invitations, clients and sites; each leaves an event and a line in the audit trail."""
