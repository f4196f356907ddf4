"""What printed numbers alone imply: pure functions of reported values."""
