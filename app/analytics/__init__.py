"""What is used, how often, by how many: events taken in, summed by hour and day, shown to agencies and publishers.

Tables: module_analytics_events (raw), module_analytics_marks (where sums are behind), module_analytics_aggregates (sums),
module_analytics_progress. Pages tell it through app.runtime.audience, browsers at /embed/analytics, the bus through receivers.
docs/analytics.md says what is counted and what is not.
"""
