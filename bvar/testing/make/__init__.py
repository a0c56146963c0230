"""What makes the questions: vectors that files keep, and strategies that search."""
