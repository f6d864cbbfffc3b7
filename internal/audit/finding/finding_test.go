package finding

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/audit/audittest"
	"github.com/relight-aws/relight/internal/catalog"
)

// reports are reports with checks of every status.
func reports() map[string]audit.Report {
	long := audittest.Broken()
	for i := range long.Checks { // longer than the formats take, in characters of several bytes
		long.Checks[i].Problem, long.Checks[i].Remedy = strings.Repeat("ö", 5000), strings.Repeat("ö", 5000)
		long.Checks[i].Title, long.Checks[i].Command = strings.Repeat("ö", 500), strings.Repeat("ö", 2000)
	}
	regions := audittest.Observed()
	regions.Regions = append(regions.Regions, audit.Region{Name: "other regions"})
	regions.Unread = append(regions.Unread, audit.Unread{Link: audit.FlowLog, Region: "other regions", Action: "ec2:DescribeRegions"})
	cis, _ := catalog.FrameworkByID("cis-5.0")
	return map[string]audit.Report{
		"healthy": audittest.Healthy(), "broken": audittest.Broken(), "member": audittest.Member(), "long": long,
		"regions that are not known": audittest.Of(regions, cis), "no check": {Account: "111122223333", Home: "eu-west-1"},
	}
}

// compile returns a schema of testdata.
func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// document returns a value as a JSON document.
func document(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Findings in the AWS Security Finding Format are what Security Hub takes.
func TestASFF(t *testing.T) {
	schema := compile(t, "asff.schema.json")
	for name, rep := range reports() {
		got := ToASFF(rep)
		if err := schema.Validate(document(t, got)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(got) != len(rep.Checks) {
			t.Errorf("%s: %d findings for %d checks", name, len(got), len(rep.Checks))
		}
		ids := map[string]bool{}
		for i, f := range got {
			if ids[f.ID] {
				t.Errorf("%s: two findings are %s", name, f.ID)
			}
			ids[f.ID] = true
			if want := map[audit.Status]string{"pass": "PASSED", "fail": "FAILED", "unknown": "WARNING", "not applicable": "NOT_AVAILABLE"}[rep.Checks[i].Status]; f.Compliance.Status != want {
				t.Errorf("%s: %s is %s, want %s", name, f.ID, f.Compliance.Status, want)
			}
			if want := map[audit.Status]string{"pass": Archived, "fail": Active, "unknown": Active, "not applicable": Archived}[rep.Checks[i].Status]; f.RecordState != want {
				t.Errorf("%s: %s is %s, want %s", name, f.ID, f.RecordState, want)
			}
		}
	}
}

// A later audit updates a finding: the ID and the time of its creation stay.
func TestUpdate(t *testing.T) {
	was, rep := ToASFF(audittest.Healthy()), audittest.Healthy()
	rep.Time = rep.Time.AddDate(0, 0, 1)
	for i, f := range ToASFF(rep) {
		if f.ID != was[i].ID || f.CreatedAt != was[i].CreatedAt || f.UpdatedAt <= was[i].UpdatedAt || f.LastObservedAt != f.UpdatedAt {
			t.Errorf("%+v became %+v", was[i], f)
		}
	}
}

// Findings of OCSF follow its schema.
func TestOCSF(t *testing.T) {
	schema := compile(t, "ocsf.schema.json")
	for name, rep := range reports() {
		got := ToOCSF(rep)
		for i, f := range got {
			if err := schema.Validate(document(t, f)); err != nil {
				t.Errorf("%s: %s: %v", name, f.FindingInfo.UID, err)
			}
			if want := map[audit.Status]int{"pass": 1, "fail": 3, "unknown": 2, "not applicable": 99}[rep.Checks[i].Status]; f.Compliance.StatusID != want {
				t.Errorf("%s: %s is %d, want %d", name, f.FindingInfo.UID, f.Compliance.StatusID, want)
			}
		}
		if len(got) != len(rep.Checks) {
			t.Errorf("%s: %d findings for %d checks", name, len(got), len(rep.Checks))
		}
	}
}

// A finding names what it is about, what to do and what was read.
func TestContent(t *testing.T) {
	rep := audittest.Broken()
	asff, ocsf := ToASFF(rep), ToOCSF(rep)
	at := func(control, resource string) int {
		return slices.IndexFunc(rep.Checks, func(c audit.Check) bool { return c.Control == control && c.Resource == resource })
	}
	vpc := at(catalog.FlowLogsCheck, "vpc-2")
	a := asff[vpc]
	if a.ID != "relight/111122223333/us-east-1/vpc-flow-logs/vpc-2" || a.Resources[0] != (Resource{"AwsEc2Vpc", catalogARN("ec2", "vpc/vpc-2"), "aws", "us-east-1"}) {
		t.Errorf("%s %+v", a.ID, a.Resources)
	}
	if a.ProductARN != catalogARN("securityhub", "product/111122223333/default") || a.ProductFields["relight/Command"] != rep.Checks[vpc].Command || a.ProductFields["relight/BrokenLink"] != "flow log" {
		t.Errorf("%s %+v", a.ProductARN, a.ProductFields)
	}
	if !slices.Contains(a.Compliance.RelatedRequirements, "AWS Security Hub CSPM controls/EC2.6") {
		t.Errorf("%q", a.Compliance.RelatedRequirements)
	}
	if o := ocsf[vpc]; o.FindingInfo.UID != a.ID || o.Unmapped["command"] != rep.Checks[vpc].Command || o.Remediation.Description != rep.Checks[vpc].Remedy || len(o.Compliance.Checks) != len(rep.Checks[vpc].Steps) {
		t.Errorf("%+v", o)
	}
	root := asff[at("root-usage", "")]
	var kinds []string
	for _, r := range root.Resources {
		kinds = append(kinds, r.Type)
	}
	if want := []string{"AwsAccount", "AwsCloudTrailTrail", "Other", "AwsCloudWatchAlarm", "AwsSnsTopic"}; !slices.Equal(kinds, want) || root.Workflow.Status != "RESOLVED" {
		t.Errorf("%q, want %q; %s", kinds, want, root.Workflow.Status)
	}
	if got, want := root.Types, []string{
		"Software and Configuration Checks/Industry and Regulatory Standards/CIS AWS Foundations Benchmark",
		"Software and Configuration Checks/Industry and Regulatory Standards/AWS Foundational Security Best Practices",
		"Software and Configuration Checks/Industry and Regulatory Standards/PCI-DSS",
	}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	// Half a command does something else.
	if f := ToASFF(reports()["long"])[0]; f.ProductFields["relight/Command"] != "" || f.ProductFields["relight/BrokenLink"] == "" {
		t.Errorf("%+v", f.ProductFields)
	}
}

func catalogARN(service, resource string) string {
	return catalog.Desired{Deployment: catalog.Deployment{Account: "111122223333", HomeRegion: "us-east-1"}}.ARN(service, resource)
}

// The schemas refuse what the formats do not have.
func TestSchemas(t *testing.T) {
	for name, list := range map[string]any{"asff.schema.json": ToASFF(audittest.Broken()), "ocsf.schema.json": ToOCSF(audittest.Broken())} {
		schema := compile(t, name)
		changes := map[string]map[string]func(finding map[string]any){
			"asff.schema.json": {
				"unknown attribute": func(f map[string]any) { f["Colour"] = "red" },
				"no ID":             func(f map[string]any) { delete(f, "Id") },
				"no resource":       func(f map[string]any) { f["Resources"] = []any{} },
				"long title":        func(f map[string]any) { f["Title"] = strings.Repeat("x", 257) },
				"empty description": func(f map[string]any) { f["Description"] = " " },
				"status":            func(f map[string]any) { f["Compliance"] = map[string]any{"Status": "OK"} },
				"time":              func(f map[string]any) { f["CreatedAt"] = "yesterday" },
			},
			"ocsf.schema.json": {
				"unknown attribute": func(f map[string]any) { f["colour"] = "red" },
				"no metadata":       func(f map[string]any) { delete(f, "metadata") },
				"no cloud":          func(f map[string]any) { delete(f, "cloud") },
				"another class":     func(f map[string]any) { f["class_uid"] = 2002 },
				"status":            func(f map[string]any) { f["compliance"] = map[string]any{"status_id": 7} },
				"time":              func(f map[string]any) { f["time"] = "yesterday" },
			},
		}
		for what, change := range changes[name] {
			var doc any = document(t, list).([]any)
			change(doc.([]any)[0].(map[string]any))
			if name == "ocsf.schema.json" {
				doc = doc.([]any)[0]
			}
			if schema.Validate(doc) == nil {
				t.Errorf("%s takes a finding with: %s", name, what)
			}
		}
	}
}

// The schemas say where they are from.
func TestSources(t *testing.T) {
	raw, err := os.ReadFile("testdata/README.md")
	if err != nil || !strings.Contains(string(raw), Version) {
		t.Errorf("testdata/README.md does not name OCSF %s: %v", Version, err)
	}
}
