"""What may be shown: identifiers, thresholds, support, the auditor, and the gate."""
