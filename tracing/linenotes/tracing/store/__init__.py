"""Where traces are kept and shown: one MLflow experiment, and MLflow's own pages."""
