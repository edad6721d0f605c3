"""Platform staff inside an agency: asked for with a reason, allowed for hours, only looking, on the agency's own trail.

Tables: support_switches, support_accesses. Whether a leave holds is said by the database (support_agency) each time.
"""
