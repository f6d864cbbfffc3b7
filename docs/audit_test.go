package docs_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/audit/audittest"
	"github.com/relight-aws/relight/internal/catalog"
)

// The JSON of an audit follows the schema that is published, and the schema has nothing
// that the JSON does not. The tests of internal/app check every report that they make.
func TestAuditSchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("audit.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document := func(rep audit.Report) map[string]any {
		raw, err := json.Marshal(rep)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		return doc.(map[string]any)
	}
	empty := audittest.Observed()
	empty.Regions = []audit.Region{{Name: empty.Home}} // without VPCs
	vpcsOnly, _ := catalog.FrameworkByID("pci-4.0")
	for name, rep := range map[string]audit.Report{
		"healthy": audittest.Healthy(), "broken": audittest.Broken(), "member": audittest.Member(), "nothing to check": audittest.Of(empty, vpcsOnly),
	} {
		if err := schema.Validate(document(rep)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for what, change := range map[string]func(doc, check, step map[string]any){
		"an unknown field":                 func(doc, _, _ map[string]any) { doc["colour"] = "red" },
		"an unknown field of a check":      func(_, check, _ map[string]any) { check["colour"] = "red" },
		"an unknown field of a link":       func(_, _, step map[string]any) { step["colour"] = "red" },
		"another version":                  func(doc, _, _ map[string]any) { doc["schema"] = "relight-audit/2" },
		"an unknown status":                func(_, check, _ map[string]any) { check["status"] = "warn" },
		"an unknown link":                  func(_, _, step map[string]any) { step["link"] = "bucket" },
		"no account":                       func(doc, _, _ map[string]any) { delete(doc, "account") },
		"a time of no form":                func(doc, _, _ map[string]any) { doc["time"] = "yesterday" },
		"a failed check without a command": func(_, check, _ map[string]any) { delete(check, "command") },
		"a failed check without a chain":   func(_, check, _ map[string]any) { delete(check, "steps") },
	} {
		doc := document(audittest.Broken())
		check := doc["checks"].([]any)[0].(map[string]any)
		change(doc, check, check["steps"].([]any)[0].(map[string]any))
		if schema.Validate(doc) == nil {
			t.Errorf("the schema takes %s", what)
		}
	}
}

// The page explains each link, in the order of the chain, and each status.
func TestAuditPage(t *testing.T) {
	text := read(t, "audit.md")
	healthy := audittest.Healthy()
	for _, control := range []string{"root-usage", catalog.FlowLogsCheck} {
		i := slices.IndexFunc(healthy.Checks, func(c audit.Check) bool { return c.Control == control })
		at := 0
		for _, s := range healthy.Checks[i].Steps {
			if row := strings.Index(text, "\n| `"+string(s.Link)+"` |"); row < at {
				t.Errorf("audit.md has no row for the link %s, or it is out of order", s.Link)
			} else {
				at = row
			}
		}
	}
	for _, s := range []audit.Status{audit.Pass, audit.Fail, audit.Unknown, audit.NotApplicable, audit.NotReached} {
		if !strings.Contains(text, "\n| `"+string(s)+"` |") {
			t.Errorf("audit.md has no row for the status %s", s)
		}
	}
}
