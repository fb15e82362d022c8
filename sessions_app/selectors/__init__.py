"""What is read across models: nothing here writes."""
