"""The outside world: adapters to files, pipes and devices. No protocol decisions."""
