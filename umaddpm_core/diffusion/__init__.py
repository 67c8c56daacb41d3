"""The diffusion process, torch only: schedule, simplex noise, dual masking and patches."""
