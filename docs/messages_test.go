package docs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/report"
)

const goldens = "../internal/report/testdata/messages/"

// severities writes what each severity means, and that of the kinds.
func severities(p *page) {
	of := map[catalog.Severity][]string{}
	for _, k := range catalog.Kinds() {
		of[k.Severity()] = append(of[k.Severity()], code(string(k)))
	}
	p.line("")
	p.head("Severity", "Means", "A protection of these kinds is restored")
	for _, s := range catalog.Severities() {
		p.row(code(string(s)), s.Means(), strings.Join(of[s], ", "))
	}
	p.line("")
}

// sampleDocument shows the document that the tests of internal/report compare with.
func sampleDocument(p *page) {
	raw, err := os.ReadFile(goldens + "trail-stopped.json")
	if err != nil {
		panic(err)
	}
	p.line("\n```json\n%s```\n", raw)
}

// attributes writes the message attributes.
func attributes(p *page) {
	p.line("")
	p.head("Attribute", "Type", "Has")
	for _, a := range report.Attributes() {
		p.row(code(a.Name), a.Type, a.Has)
	}
	p.line("")
}

func messageSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("message.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// Every golden document follows the schema that is published, and the schema has
// nothing that the documents do not.
func TestMessageSchema(t *testing.T) {
	schema := messageSchema(t)
	files, err := filepath.Glob(goldens + "*.json")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, f := range files {
		if strings.HasSuffix(f, ".chat.json") {
			continue
		}
		checked++
		if err := schema.Validate(documentIn(t, f)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	if checked < 12 {
		t.Errorf("%d golden documents", checked)
	}
	for what, change := range map[string]func(doc, item map[string]any){
		"an unknown member":            func(doc, _ map[string]any) { doc["colour"] = "red" },
		"an unknown member of an item": func(_, item map[string]any) { item["colour"] = "red" },
		"another version":              func(doc, _ map[string]any) { doc["schema_version"] = "2" },
		"an unknown severity":          func(doc, _ map[string]any) { doc["severity"] = "medium" },
		"an unknown outcome":           func(doc, _ map[string]any) { doc["outcome"] = "undone" },
		"no account":                   func(doc, _ map[string]any) { delete(doc, "account") },
		"no region":                    func(doc, _ map[string]any) { doc["regions"] = []any{} },
		"an unknown kind":              func(doc, _ map[string]any) { doc["kinds"] = []any{"buckets"} },
		"a long subject":               func(doc, _ map[string]any) { doc["subject"] = strings.Repeat("x", 101) },
		"a time of no form":            func(doc, _ map[string]any) { doc["time"] = "yesterday" },
		"an item without a target":     func(_, item map[string]any) { delete(item, "target") },
		"a negative count":             func(doc, _ map[string]any) { doc["counts"].(map[string]any)["causes"] = json.Number("-1") },
	} {
		doc := documentIn(t, goldens+"trail-stopped.json").(map[string]any)
		change(doc, doc["restored"].([]any)[0].(map[string]any))
		if schema.Validate(doc) == nil {
			t.Errorf("the schema takes %s", what)
		}
	}
}

func documentIn(t *testing.T, file string) any {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// The schema names every kind.
func TestMessageSchemaKinds(t *testing.T) {
	text := read(t, "message.schema.json")
	for _, k := range catalog.Kinds() {
		if !strings.Contains(text, `"`+string(k)+`"`) {
			t.Errorf("message.schema.json lacks the kind %s", k)
		}
	}
}
