"""A projection that posts each event to a receiver."""

from itemstore import WebhookProjection

ORDERS = WebhookProjection("receiver", "http://127.0.0.1:9000/")
