"""What people say of the findings: verdicts kept with the labels, cases ordered for review, agreement measured."""
