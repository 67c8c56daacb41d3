"""Fetching the archives of a cohort from where it is published."""

from umaddpm_core.data.download.ixi import BASE_URL, LICENCE, MODALITIES, Archive, check_space, obtain
from umaddpm_core.data.download.transfer import Remote, inspect

__all__ = ["BASE_URL", "LICENCE", "MODALITIES", "Archive", "Remote", "check_space", "inspect", "obtain"]
