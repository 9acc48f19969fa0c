"""What a packet costs on its way through a gateway: a generator, gateways to send it through, and
the measurements themselves.
"""
