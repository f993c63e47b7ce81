"""FHIR R4: Ki-67 read from a Bundle of a laboratory, and estimates written as RiskAssessment with Provenance."""
