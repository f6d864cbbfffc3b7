package finding

import (
	"fmt"

	"github.com/relight-aws/relight/internal/audit"
)

// An ASFF is a finding in the AWS Security Finding Format, of a custom product of the
// account itself. Source of its attributes and limits: Security Hub User Guide, "AWS
// Security Finding Format (ASFF)", and the API reference, AwsSecurityFinding.
type ASFF struct {
	SchemaVersion         string
	ID                    string `json:"Id"`
	ProductARN            string `json:"ProductArn"`
	GeneratorID           string `json:"GeneratorId"`
	AccountID             string `json:"AwsAccountId"`
	Types                 []string
	CreatedAt             string
	UpdatedAt             string
	LastObservedAt        string
	Severity              Severity
	Title                 string
	Description           string
	Remediation           *Remediation      `json:",omitempty"`
	ProductFields         map[string]string `json:",omitempty"`
	Resources             []Resource
	Compliance            Compliance
	Workflow              Workflow
	RecordState           string
	FindingProviderFields ProviderFields
}

// A Severity is that of a finding.
type Severity struct{ Label, Original string }

// A Remediation says what to do.
type Remediation struct{ Recommendation Recommendation }

// A Recommendation is its text, and a page about it.
type Recommendation struct {
	Text string
	URL  string `json:"Url"`
}

// A Resource is what a finding is about.
type Resource struct {
	Type      string
	ID        string `json:"Id"`
	Partition string
	Region    string
}

// Compliance is the result of the check.
type Compliance struct {
	Status              string
	RelatedRequirements []string
}

// A Workflow is the state of the work on a finding.
type Workflow struct{ Status string }

// ProviderFields are what Security Hub lets a provider update.
type ProviderFields struct {
	Severity Severity
	Types    []string
}

// The states of a finding.
const (
	Active   = "ACTIVE"
	Archived = "ARCHIVED"
)

// Limits of the format.
const (
	maxTitle        = 256
	maxDescription  = 1024
	maxText         = 512
	maxID           = 512
	maxRequirements = 32
	maxResources    = 32
	maxField        = 2048
)

// created is when every finding says that it was created. An import replaces the time,
// and relight keeps no history: with the time of the audit, each import would make an old
// finding look like a new one. It is the day from which on the IDs of findings are as they
// are. FirstObservedAt is left out, because relight does not know it.
const created = "2026-01-01T00:00:00Z"

// ToASFF returns the checks of a report as findings, in its order. All are to be
// imported in the home region: BatchImportFindings takes those of its own region alone,
// at most 100 at once.
//
// A check that passes or does not apply is archived: nobody has to do anything about it.
// An import cannot change the workflow status of a finding that exists. Security Hub sets
// it back to NEW if an archived finding becomes active. Source: Security Hub User Guide,
// "Setting the workflow status of findings" (documented).
func ToASFF(rep audit.Report) []ASFF {
	at := rep.Time.UTC().Format("2006-01-02T15:04:05.000Z07:00") // Security Hub ignores an update that is not newer
	list := make([]ASFF, 0, len(rep.Checks))
	for _, f := range findings(rep) {
		out := ASFF{
			SchemaVersion: "2018-10-08", ID: cut(f.id, maxID),
			ProductARN:  "arn:" + f.partition + ":securityhub:" + rep.Home + ":" + rep.Account + ":product/" + rep.Account + "/default",
			GeneratorID: "relight/" + f.Control, AccountID: rep.Account, Types: f.types,
			CreatedAt: created, UpdatedAt: at, LastObservedAt: at,
			Severity: severities[f.Status], Title: cut(f.title, maxTitle), Description: cut(f.text, maxDescription),
			Compliance:  Compliance{Status: compliance[f.Status], RelatedRequirements: f.requirements[:min(len(f.requirements), maxRequirements)]},
			Workflow:    Workflow{"NEW"},
			RecordState: Active,
		}
		if f.Status == audit.Pass || f.Status == audit.NotApplicable {
			out.RecordState = Archived
		}
		if f.Status == audit.Pass {
			out.Workflow.Status = "RESOLVED"
		}
		out.FindingProviderFields = ProviderFields{out.Severity, out.Types}
		if f.Remedy != "" {
			out.Remediation = &Remediation{Recommendation{cut(f.Remedy, maxText), f.help}}
		}
		out.ProductFields = fields(f)
		for _, r := range f.resources[:min(len(f.resources), maxResources)] {
			out.Resources = append(out.Resources, Resource{r.kind, cut(r.arn, maxID), f.partition, r.region})
		}
		list = append(list, out)
	}
	return list
}

// compliance and severities follow from the status. AWS rates its own control for VPC
// flow logs Medium, and says of WARNING that information is missing.
var (
	compliance = map[audit.Status]string{audit.Pass: "PASSED", audit.Fail: "FAILED", audit.Unknown: "WARNING", audit.NotApplicable: "NOT_AVAILABLE"}
	severities = map[audit.Status]Severity{
		audit.Pass: {"INFORMATIONAL", "pass"}, audit.Fail: {"MEDIUM", "fail"}, audit.Unknown: {"LOW", "unknown"}, audit.NotApplicable: {"INFORMATIONAL", "not applicable"},
	}
)

// fields returns the command and the chain. A command that does not fit is left out: half
// a command does something else.
func fields(f finding) map[string]string {
	all := map[string]string{}
	if f.Command != "" && len(f.Command) <= maxField {
		all["relight/Command"] = f.Command
	}
	if f.Broken != "" {
		all["relight/BrokenLink"] = string(f.Broken)
	}
	for i, s := range f.Steps {
		if s.Status != audit.NotReached {
			all[fmt.Sprintf("relight/Link/%d %s", i+1, s.Link)] = cut(line(s), maxField)
		}
	}
	return all
}
