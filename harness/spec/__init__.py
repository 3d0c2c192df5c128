"""What an instructor writes: tasks and assignments, loaded strictly and as pure data."""
