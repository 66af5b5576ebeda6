package detectors

// Seed is a system whose safeguards the catalog watches: one row of what a
// covered entity has to keep in force.
type Seed struct {
	Code      string   // how rules, metrics and routes name it: MFA, TDE …
	System    string   // what people call it
	Safeguard string   // the safeguard it serves
	HIPAA     []string // paragraphs of 45 CFR
}

// Seeds returns the systems in the order in which they are reported. The slice
// is the caller's own.
func Seeds() []Seed {
	return []Seed{
		{"MPIP", "Purview Information Protection, sensitivity labels", "Integrity", cfr("312(c)(1)", "312(c)(2)")},
		{"EDISC", "Purview eDiscovery", "Integrity", cfr("312(c)(1)", "312(c)(2)")},
		{"HOLD", "In-Place Hold, Litigation Hold", "Integrity", cfr("312(c)(1)")},
		{"EMAILENC", "Email encryption: message encryption, rights management", "Integrity", cfr("312(c)(1)", "312(e)(2)(ii)")},
		{"SMIME", "S/MIME in Exchange Online", "Integrity", cfr("312(c)(1)", "312(e)(2)(i)")},
		{"AUDIT", "Logging and monitoring, Purview auditing", "Integrity: audit controls", cfr("312(b)", "308(a)(1)(ii)(D)")},
		{"MFA", "Entra multifactor authentication", "Authentication, transmission", cfr("312(d)")},
		{"AUTHN", "Microsoft Authenticator", "Authentication, transmission", cfr("312(d)")},
		{"PWLESS", "Passwordless sign-in", "Authentication", cfr("312(d)")},
		{"CA", "Conditional Access", "Authentication", cfr("312(d)", "312(a)(1)")},
		{"CA-APPS", "Conditional Access for application access", "Transmission", cfr("312(d)", "312(e)(1)")},
		{"DEVICE", "Device-based Conditional Access with Intune", "Authentication", cfr("312(d)", "310(c)")},
		{"RBAC", "Role-based access control, built-in and custom roles", "Authentication", cfr("308(a)(4)", "312(a)(1)")},
		{"M365ENC", "Microsoft 365 encryption, Customer Key", "Transmission: encryption", cfr("312(a)(2)(iv)")},
		{"TDE", "SQL transparent data encryption", "Transmission: encryption", cfr("312(a)(2)(iv)")},
		{"DDM", "SQL dynamic data masking", "Transmission: encryption", cfr("312(a)(1)", "312(a)(2)(iv)")},
		{"AZENC", "Azure encryption: storage, disk, Key Vault, TLS", "Transmission: encryption", cfr("312(a)(2)(iv)", "312(e)(2)(ii)")},
		{"DLM", "Data Lifecycle Management, six-year retention", "Transmission: encryption", cfr("316(b)(2)(i)")},
		{"APPROXY", "Application Proxy", "Transmission", cfr("312(e)(1)")},
		{"EOP", "Exchange Online Protection", "Transmission", cfr("308(a)(5)(ii)(B)", "312(e)(1)")},
		{"GROUPLABEL", "Sensitivity labels for Teams, groups and sites", "Transmission", cfr("312(e)(1)", "312(a)(1)")},
		{"ER", "ExpressRoute", "Transmission", cfr("312(e)(1)")},
		{"VPN", "VPN Gateway", "Transmission", cfr("312(e)(1)", "312(e)(2)(ii)")},
	}
}

// cfr completes paragraphs of 45 CFR part 164.
func cfr(paragraphs ...string) []string {
	for i := range paragraphs {
		paragraphs[i] = "164." + paragraphs[i]
	}
	return paragraphs
}
