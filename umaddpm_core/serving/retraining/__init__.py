"""Training on the server: the cohort from the datastore, the judgement against the model in use, and its versions."""
