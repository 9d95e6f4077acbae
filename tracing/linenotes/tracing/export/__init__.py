"""How traces leave for other collectors: as OpenTelemetry spans, by OpenTelemetry's exporters."""
