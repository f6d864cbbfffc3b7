package finding

import (
	"maps"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/audit"
)

// Version is the version of OCSF that an OCSF follows.
const Version = "1.6.0"

// An OCSF is a Compliance Finding of the Open Cybersecurity Schema Framework, with the
// profile cloud. Source: github.com/ocsf/ocsf-schema, events/findings/compliance_finding.json.
type OCSF struct {
	ActivityID   int              `json:"activity_id"`
	ActivityName string           `json:"activity_name"`
	CategoryUID  int              `json:"category_uid"`
	CategoryName string           `json:"category_name"`
	ClassUID     int              `json:"class_uid"`
	ClassName    string           `json:"class_name"`
	TypeUID      int              `json:"type_uid"`
	TypeName     string           `json:"type_name"`
	SeverityID   int              `json:"severity_id"`
	Severity     string           `json:"severity"`
	StatusID     int              `json:"status_id"`
	Status       string           `json:"status"`
	Time         int64            `json:"time"` // milliseconds
	Message      string           `json:"message"`
	Metadata     OCSFMetadata     `json:"metadata"`
	Cloud        OCSFCloud        `json:"cloud"`
	FindingInfo  OCSFInfo         `json:"finding_info"`
	Compliance   OCSFCompliance   `json:"compliance"`
	Remediation  *OCSFRemediation `json:"remediation,omitempty"`
	Resources    []OCSFResource   `json:"resources"`
	Unmapped     map[string]any   `json:"unmapped,omitempty"`
}

// OCSFMetadata describes the event.
type OCSFMetadata struct {
	Version   string      `json:"version"`
	Product   OCSFProduct `json:"product"`
	Profiles  []string    `json:"profiles"`
	EventCode string      `json:"event_code"`
}

// An OCSFProduct is what wrote the event.
type OCSFProduct struct {
	Name   string `json:"name"`
	Vendor string `json:"vendor_name"`
}

// An OCSFCloud says of which account and region the event is.
type OCSFCloud struct {
	Provider  string      `json:"provider"`
	Account   OCSFAccount `json:"account"`
	Region    string      `json:"region"`
	Partition string      `json:"cloud_partition"`
}

// An OCSFAccount is an account.
type OCSFAccount struct {
	UID    string `json:"uid"`
	Type   string `json:"type"`
	TypeID int    `json:"type_id"`
}

// An OCSFInfo describes the finding.
type OCSFInfo struct {
	UID         string   `json:"uid"`
	Title       string   `json:"title"`
	Description string   `json:"desc"`
	Types       []string `json:"types"`
	LastSeen    int64    `json:"last_seen_time"`
}

// An OCSFCompliance is the result, with the links of the chain as its checks.
type OCSFCompliance struct {
	Control      string      `json:"control"`
	Standards    []string    `json:"standards"`
	Requirements []string    `json:"requirements"`
	StatusID     int         `json:"status_id"`
	Status       string      `json:"status"`
	Details      []string    `json:"status_details,omitempty"`
	Checks       []OCSFCheck `json:"checks,omitempty"`
}

// An OCSFCheck is a link.
type OCSFCheck struct {
	UID         string `json:"uid"`
	Name        string `json:"name"`
	Description string `json:"desc,omitempty"`
	StatusID    int    `json:"status_id"`
	Status      string `json:"status"`
}

// An OCSFRemediation says what to do.
type OCSFRemediation struct {
	Description string   `json:"desc"`
	References  []string `json:"references"`
}

// An OCSFResource is what the finding is about.
type OCSFResource struct {
	UID       string `json:"uid"`
	Type      string `json:"type"`
	Region    string `json:"region"`
	Partition string `json:"cloud_partition"`
}

// These are the IDs of the class, and their names. Source: as for OCSF.
const (
	category   = 2
	class      = 2003
	create     = 1
	awsAccount = 10
)

// ToOCSF returns the checks of a report as Compliance Findings, in its order.
func ToOCSF(rep audit.Report) []OCSF {
	at := rep.Time.UnixMilli()
	list := make([]OCSF, 0, len(rep.Checks))
	for _, f := range findings(rep) {
		out := OCSF{
			ActivityID: create, ActivityName: "Create", CategoryUID: category, CategoryName: "Findings", ClassUID: class, ClassName: "Compliance Finding",
			TypeUID: class*100 + create, TypeName: "Compliance Finding: Create", StatusID: 1, Status: "New",
			Time: at, Message: f.title + ": " + f.text,
			Metadata: OCSFMetadata{
				Version: Version, Product: OCSFProduct{"relight", "relight"}, Profiles: []string{"cloud"}, EventCode: f.Control,
			},
			Cloud:       OCSFCloud{"AWS", OCSFAccount{rep.Account, "AWS Account", awsAccount}, f.region, f.partition},
			FindingInfo: OCSFInfo{UID: f.id, Title: f.title, Description: f.text, Types: f.types, LastSeen: at},
			Compliance:  OCSFCompliance{Control: f.Control, Standards: f.standards, Requirements: f.requirements},
		}
		out.Compliance.StatusID, out.Compliance.Status = result(f.Status)
		switch f.Status {
		case audit.Fail:
			out.SeverityID, out.Severity = 3, "Medium"
		case audit.Unknown:
			out.SeverityID, out.Severity = 2, "Low"
		case audit.Pass:
			out.StatusID, out.Status = 4, "Resolved"
			fallthrough
		default:
			out.SeverityID, out.Severity = 1, "Informational"
		}
		if f.Problem != "" {
			out.Compliance.Details = []string{f.Problem}
		}
		for _, s := range f.Steps {
			c := OCSFCheck{UID: f.id + "#" + strings.ReplaceAll(string(s.Link), " ", "-"), Name: string(s.Link)}
			if s.Status != audit.NotReached {
				c.Description = line(s)
			}
			c.StatusID, c.Status = result(s.Status)
			out.Compliance.Checks = append(out.Compliance.Checks, c)
		}
		if f.Remedy != "" {
			out.Remediation = &OCSFRemediation{f.Remedy, []string{f.help}}
			out.Unmapped = map[string]any{"command": f.Command}
		}
		for _, r := range f.resources {
			out.Resources = append(out.Resources, OCSFResource{r.arn, r.kind, r.region, f.partition})
		}
		list = append(list, out)
	}
	return list
}

// result returns a status as the format has it. Its Warning means that information is
// missing; Other has the name that the source uses.
func result(s audit.Status) (id int, name string) {
	switch s {
	case audit.Pass:
		return 1, "Pass"
	case audit.Unknown:
		return 2, "Warning"
	case audit.Fail:
		return 3, "Fail"
	}
	return 99, string(s)
}

// line returns a link with its evidence as one line.
func line(s audit.Step) string {
	parts := []string{string(s.Status)}
	if s.Resource != "" {
		parts = append(parts, s.Resource)
	}
	if s.Problem != "" {
		parts = append(parts, s.Problem)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Evidence)) {
		parts = append(parts, name+"="+s.Evidence[name])
	}
	return strings.Join(parts, "; ")
}
