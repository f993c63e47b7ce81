"""FHIR R4: pathology's findings read from a Bundle, and estimates written as RiskAssessment with Provenance."""
