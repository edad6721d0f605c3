"""Who someone is: people, passwords, browser sessions, sign-in, reset.

Tables: users, user_sessions, password_resets, sign_in_attempts. Called by tenancy (invitations) and the composition root.
"""
