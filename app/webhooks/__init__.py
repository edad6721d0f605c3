"""Webhooks: endpoints outside that are told of events, signed by Standard Webhooks, retried until they answer.

Owns external_webhooks, external_webhook_deliveries and external_webhook_attempts. events.dispatch hands events over
(receivers.py); the job webhooks.deliver sends them (pump.py).
"""
