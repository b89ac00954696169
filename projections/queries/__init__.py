"""Finding items by what is in them: what is asked, what it means, and how it is answered."""
