"""What judges a sample: functions, and the metrics of other libraries."""
