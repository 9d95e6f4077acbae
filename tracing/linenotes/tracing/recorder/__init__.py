"""How a conversation is heard: LangChain's events become runs, rows of the ledger, and spans."""
