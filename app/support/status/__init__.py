"""How the platform is: measured by a job every minute, kept by day for 90 days, shown to everybody.

Tables: status_days.
"""
