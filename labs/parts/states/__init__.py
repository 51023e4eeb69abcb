"""Step Functions: the Amazon States Language, checked statically and run over a virtual clock."""
