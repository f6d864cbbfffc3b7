package catalog

import (
	"slices"
	"strconv"
	"strings"
)

// FlowLogsCheck is the ID, among the controls of a framework, of the requirement
// that every VPC has a flow log.
const FlowLogsCheck = "vpc-flow-logs"

// DefaultFramework is audited if no other is named.
const DefaultFramework = "cis-5.0"

// FrameworkIDs returns the IDs of Frameworks, in its order. The functions check the
// configuration with it, and most do not link the requirements.
func FrameworkIDs() []string {
	var ids []string
	for _, version := range Benchmarks {
		ids = append(ids, cisID(version))
	}
	return append(ids, "security-hub", "nist-800-53-r5", "pci-3.2.1", "pci-4.0")
}

// cisID returns the ID of a version of the CIS benchmark.
func cisID(version string) string {
	if version == "4.0.1" {
		version = "4.0"
	}
	return "cis-" + version
}

// A Framework is a set of requirements that an audit checks. It has a requirement
// for a control, or for FlowLogsCheck, if somebody who can be cited says so.
type Framework struct {
	ID     string // "cis-5.0"
	Title  string
	Source string // of the IDs of its requirements

	benchmark    string // version of the CIS AWS Foundations Benchmark
	requirements map[string][]string
}

// Frameworks returns the frameworks that an audit knows.
//
// Sources of the IDs of requirements: for CIS, the mappings that Prowler and
// Turbot's Powerpipe publish (the benchmark itself was not read); for Security Hub,
// its User Guide, "CloudWatch controls" and "Amazon EC2 controls"; for NIST and PCI,
// the same for flow logs, and Prowler's mappings (August 2026). What none of them
// maps has no requirement.
func Frameworks() []Framework {
	var all []Framework
	for _, version := range Benchmarks {
		f := Framework{
			ID: cisID(version), Title: "CIS AWS Foundations Benchmark " + version, benchmark: version,
			Source:       "Prowler, Turbot Powerpipe",
			requirements: map[string][]string{FlowLogsCheck: {flowLogSections[version]}},
		}
		for _, c := range controls {
			if section := c.CIS[version]; section != "" {
				f.requirements[c.ID] = []string{section}
			}
		}
		all = append(all, f)
	}
	hub := Framework{
		ID: "security-hub", Title: "AWS Security Hub CSPM controls", Source: "AWS Security Hub User Guide",
		requirements: map[string][]string{FlowLogsCheck: {"EC2.6"}},
	}
	for _, c := range controls {
		if c.SecurityHub != "" {
			hub.requirements[c.ID] = []string{c.SecurityHub}
		}
	}
	changes := []string{"AU-6(1)", "AU-6(5)", "AU-12(3)", "AU-14a", "AU-14b", "CA-2(2)", "CA-7", "CA-7b", "PM-14a.1", "PM-14b", "PM-31", "SC-36(1)(a)", "SI-2a", "SI-4(12)", "SI-5(1)", "SI-5b"}
	return append(all, hub, Framework{
		ID: "nist-800-53-r5", Title: "NIST SP 800-53 Revision 5", Source: "AWS Security Hub User Guide (EC2.6), Prowler",
		requirements: map[string][]string{
			FlowLogsCheck:             {"AC-4(26)", "AU-2", "AU-3", "AU-6(3)", "AU-6(4)", "AU-12", "CA-7", "SI-7(8)"},
			"nacl-changes":            changes,
			"network-gateway-changes": changes,
			"route-table-changes":     changes,
			"vpc-changes":             changes,
		},
	}, Framework{
		ID: "pci-3.2.1", Title: "PCI DSS 3.2.1", Source: "AWS Security Hub User Guide (EC2.6), Prowler",
		requirements: map[string][]string{
			FlowLogsCheck: {"10.3.3", "10.3.4", "10.3.5", "10.3.6"},
			"root-usage":  {"7.2.1"},
			"iam-changes": {"8.1.2"},
		},
	}, Framework{
		ID: "pci-4.0", Title: "PCI DSS 4.0", Source: "Prowler",
		requirements: map[string][]string{
			FlowLogsCheck: {"5.3.4", "10.2.1", "10.2.1.1", "10.2.1.2", "10.2.1.3", "10.2.1.4", "10.2.1.5", "10.2.1.6", "10.2.1.7", "10.2.2", "10.3.1", "10.6.3", "A1.2.1"},
		},
	})
}

// flowLogSections is the section of "VPC flow logging is enabled in all VPCs" in each
// version of the benchmark.
var flowLogSections = map[string]string{
	"1.2": "2.9", "1.3": "3.9", "1.4": "3.9", "1.5": "3.9", "2.0": "3.9",
	"3.0": "3.7", "4.0.1": "3.7", "5.0": "3.7", "6.0": "4.7", "7.0": "4.7",
}

// FrameworkByID returns a framework, and false if there is none of the ID.
func FrameworkByID(id string) (Framework, bool) {
	all := Frameworks()
	i := slices.IndexFunc(all, func(f Framework) bool { return f.ID == strings.ToLower(id) })
	if i < 0 {
		return Framework{}, false
	}
	return all[i], true
}

// Requires returns the IDs of the framework's requirements that a control, or
// FlowLogsCheck, satisfies; none if the framework does not have it.
func (f Framework) Requires(control string) []string { return f.requirements[control] }

// CIS reports whether the framework is a version of the CIS benchmark.
func (f Framework) CIS() bool { return f.benchmark != "" }

// Accepts returns the patterns of which a filter has to match one for the
// framework: the control's own, and other texts of the benchmark for it.
func (f Framework) Accepts(c Control) []string {
	patterns := []string{c.Pattern}
	for _, v := range variants {
		if v.control == c.ID && (slices.Contains(v.versions, f.benchmark) || f.benchmark == "" && slices.Contains(v.versions, f.ID)) {
			patterns = append(patterns, v.pattern)
		}
	}
	return patterns
}

// A variant is another text of the benchmark for a control, which asks for less than
// relight's: who has it satisfies these versions.
type variant struct {
	control  string
	versions []string
	pattern  string
}

// variants are the texts that relight's patterns do not imply. Sources: as for
// Frameworks.
var variants = func() []variant {
	twin := func(id string) string {
		return controls[slices.IndexFunc(controls, func(c Control) bool { return c.ID == id })].Pattern
	}
	fewer := func(id string, names ...string) string {
		text := twin(id)
		for _, name := range names {
			text = strings.ReplaceAll(text, ` || ($.eventName = `+strconv.Quote(name)+`)`, "")
		}
		return text
	}
	return []variant{
		{"unauthorized-api-calls", []string{"1.4", "1.5", "2.0"}, `{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") || ($.sourceIPAddress!="delivery.logs.amazonaws.com") || ($.eventName!="HeadBucket") }`},
		{"console-signin-without-mfa", []string{"1.4", "1.5", "2.0", "3.0", "4.0.1", "5.0", "6.0", "7.0", "security-hub"}, `{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }`},
		{"security-group-changes", []string{"1.2", "1.3", "1.4", "1.5", "2.0", "3.0", "4.0.1"}, twin("security-group-changes-securityhub")},
		{"organizations-changes", Benchmarks[1:], fewer("organizations-changes", "CancelHandshake", "CreateOrganization", "EnableAllFeatures")},
	}
}()
