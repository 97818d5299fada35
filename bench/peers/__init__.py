"""Other programs and libraries doing the same job, each driven the way its own documentation shows."""
