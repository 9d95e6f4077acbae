"""Conversations that the recorder did not hear: read from files and stores into the same ledger."""
