package docs_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/config"
)

// example is the configuration that the page shows.
const example = `{
  "context": {
    "relight": {
      "homeRegion": "us-east-1",
      "regions": ["eu-west-1", "eu-central-1"],
      "modes": {"flowlogs": "observe"},
      "flowLogs": {"trafficType": "ALL", "exemptVpcs": ["vpc-0a1b2c3d4e5f60001"]},
      "controls": {
        "organizations-changes": {"disabled": true},
        "unauthorized-api-calls": {"threshold": 5}
      },
      "addControls": [
        {"id": "key-pair-imports", "pattern": "{ ($.eventName = ImportKeyPair) }"}
      ],
      "subscribers": [{"protocol": "email", "endpoint": "oncall@example.com"}],
      "tags": {"team": "security"},
      "terminationProtection": true
    }
  }
}`

func configuration(p *page) {
	defaults, err := config.Parse(nil)
	if err != nil {
		panic(err)
	}
	comments := fieldComments("../internal/config/config.go")
	p.title("Configuration", "internal/config/config.go")
	p.line("The configuration is the object `context.relight` in `cdk.json`. The stack, the functions and")
	p.line("the command line all use it. Every key has a default, and `{}` is a good configuration.")
	p.line("`cdk synth` and the command line refuse unknown keys and bad values, and list all of them at")
	p.line("once. A change takes effect with `make deploy`, which also starts a sweep.\n")
	p.line("An example:\n\n```json\n%s\n```\n", example)
	p.line("## General")
	section(p, comments, "", reflect.ValueOf(defaults))
	sections(p, comments, "", reflect.ValueOf(defaults))
}

// sections writes a section for each key that holds a struct, and for those in it.
func sections(p *page, comments map[string]string, prefix string, of reflect.Value) {
	for f, v := range of.Fields() {
		at, inner := keyOf(prefix, f), inside(v)
		if !inner.IsValid() {
			continue
		}
		text, standard := comment(comments, of.Type(), f)
		if standard != "" {
			text += " Default: " + standard + "."
		}
		p.line("\n## %s\n\n%s", code(at), text)
		section(p, comments, at+".", inner)
		sections(p, comments, at+".", inner)
	}
}

// section writes the table of those keys of a struct that hold no struct.
func section(p *page, comments map[string]string, prefix string, of reflect.Value) {
	begun := false
	for f, v := range of.Fields() {
		if inside(v).IsValid() {
			continue
		}
		if !begun {
			p.line("")
			p.head("Key", "Default", "What it sets")
			begun = true
		}
		text, standard := comment(comments, of.Type(), f)
		p.row(code(keyOf(prefix, f)), cmp.Or(standard, byDefault(f, v)), text)
	}
}

// byDefault returns the default of a key whose comment names none.
func byDefault(f reflect.StructField, v reflect.Value) string {
	switch {
	case !v.IsZero(), v.Kind() == reflect.Bool:
		return code(fmt.Sprint(v))
	case !strings.Contains(f.Tag.Get("json"), ",omit"):
		return "required"
	default:
		return "none"
	}
}

// keyOf returns a field's key as the page spells it: "flowLogs.trafficType",
// "controls.<id>", "subscribers[]".
func keyOf(prefix string, f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case f.Type.Kind() == reflect.Map && f.Type.Elem().Kind() == reflect.Struct:
		name += ".<id>"
	case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct:
		name += "[]"
	}
	return prefix + name
}

// inside returns the struct that a key holds, alone or several times; an empty
// one if the default holds none. It returns the zero Value if the key holds
// none at all.
func inside(v reflect.Value) reflect.Value {
	switch t := v.Type(); {
	case t.Kind() == reflect.Struct:
		return v
	case slices.Contains([]reflect.Kind{reflect.Map, reflect.Slice, reflect.Pointer}, t.Kind()) && t.Elem().Kind() == reflect.Struct:
		return reflect.Zero(t.Elem())
	default:
		return reflect.Value{}
	}
}

// keys returns all keys of a configuration as the page spells them:
// "flowLogs.trafficType", "controls.<id>.disabled", "subscribers[].protocol".
func keys(prefix string, t reflect.Type) []string {
	var all []string
	for f, v := range reflect.Zero(t).Fields() {
		at := keyOf(prefix, f)
		if inner := inside(v); inner.IsValid() {
			all = append(all, keys(at+".", inner.Type())...)
		} else {
			all = append(all, at)
		}
	}
	return all
}

var standardShape = regexp.MustCompile(`^(.*?) Default: (.+)\.$`)

// comment returns what the comment of a field says, and the default that it
// names at its end, if any.
func comment(comments map[string]string, t reflect.Type, f reflect.StructField) (text, standard string) {
	text = comments[t.Name()+"."+f.Name]
	if m := standardShape.FindStringSubmatch(text); m != nil {
		return m[1], m[2]
	}
	return text, ""
}

// fieldComments returns the comments above the fields of a file's structs, by
// "Type.Field".
func fieldComments(file string) map[string]string {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		panic(err)
	}
	comments := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		fields, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, f := range fields.Fields.List {
			for _, name := range f.Names {
				comments[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
			}
		}
		return true
	})
	return comments
}

// Every field of the configuration has a comment for its page.
func TestEveryKeyHasAComment(t *testing.T) {
	comments := fieldComments("../internal/config/config.go")
	var check func(of reflect.Type)
	check = func(of reflect.Type) {
		for f, v := range reflect.Zero(of).Fields() {
			if text, _ := comment(comments, of, f); text == "" {
				t.Errorf("%s.%s has no comment", of.Name(), f.Name)
			}
			if inner := inside(v); inner.IsValid() {
				check(inner.Type())
			}
		}
	}
	check(reflect.TypeFor[config.Config]())
}

var jsonBlock = regexp.MustCompile("(?s)```json\n(.*?)```")

// The configurations that people are shown are good ones.
func TestConfigurationExamples(t *testing.T) {
	for page, least := range map[string]int{"../README.md": 1, "configuration.md": 1} {
		n := 0
		for _, m := range jsonBlock.FindAllStringSubmatch(read(t, page), -1) {
			if !strings.Contains(m[1], `"relight"`) {
				continue
			}
			n++
			file := filepath.Join(t.TempDir(), "cdk.json")
			if err := os.WriteFile(file, []byte(m[1]), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := config.Load(file); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
		if n < least {
			t.Errorf("%s shows %d configurations, want at least %d", page, n, least)
		}
	}
}
