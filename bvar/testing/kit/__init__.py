"""The kit: vectors and laws, put to a subject, and a report of what it found."""
