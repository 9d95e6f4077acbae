"""How a conversation is read: as text, as a diagram, as a page."""
