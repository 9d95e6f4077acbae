"""Conversations that other tools wrote to a file: chats of the OpenAI format, spans of OTLP."""
