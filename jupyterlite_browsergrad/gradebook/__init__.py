"""Makes a gradebook from results of grading: whose submissions they are, their points, and files for platforms, students and teachers."""
