"""From records to what people read. Takes plain values; never looks into the core's state."""
