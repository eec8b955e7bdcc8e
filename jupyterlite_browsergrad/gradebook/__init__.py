"""From results of grading to a gradebook: whose they are, what they are worth, and how platforms, students and teachers read them."""
