"""The register of the tests, where FHIR meets it."""

from tests.core.register.conftest import config, empty_postgres, postgres, store, url

__all__ = ["config", "empty_postgres", "postgres", "store", "url"]
