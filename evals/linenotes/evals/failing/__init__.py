"""Which cases fail, why, and with whose message their failures begin."""
