"""What happens, as spans of OpenTelemetry: nothing, unless somebody takes them."""
