"""What could keep a study from running, found out before it does; nothing is changed."""
