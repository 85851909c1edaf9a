"""The pages /metrics, /healthz and /readyz, and the lag that they show."""
