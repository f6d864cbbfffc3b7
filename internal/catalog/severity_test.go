package catalog_test

import (
	"slices"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

func TestSeverities(t *testing.T) {
	all := catalog.Severities()
	for i, s := range all {
		for j, o := range all {
			if got := s.AtLeast(o); got != (i <= j) {
				t.Errorf("%s is at least %s: %t", s, o, got)
			}
		}
		if got, err := catalog.ParseSeverity(string(s)); got != s || err != nil {
			t.Errorf("%s is read as %q, %v", s, got, err)
		}
		if catalog.Severity("").AtLeast(s) || !s.AtLeast("") {
			t.Errorf("no severity is as bad as %s", s)
		}
	}
	for _, name := range []string{"", "High", "medium", " low"} {
		if s, err := catalog.ParseSeverity(name); err == nil {
			t.Errorf("%q is read as %s", name, s)
		}
	}
	for want, of := range map[catalog.Severity][]catalog.Severity{
		catalog.Info:     {},
		catalog.Low:      {catalog.Info, catalog.Low, ""},
		catalog.Critical: {catalog.High, catalog.Critical, catalog.Low},
	} {
		if got := catalog.Worst(of...); got != want {
			t.Errorf("the worst of %v is %s, want %s", of, got, want)
		}
	}
}

// Every kind has a severity, and a call has one if people are notified of it.
func TestSeverityOfEverything(t *testing.T) {
	for _, k := range catalog.Kinds() {
		if !slices.Contains(catalog.Severities(), k.Severity()) {
			t.Errorf("kind %s has no severity", k)
		}
	}
	for _, c := range catalog.Calls {
		if slices.Contains(catalog.Severities(), c.Severity) != (c.Advice != "") {
			t.Errorf("%s %s has the severity %q and the advice %q", c.Source, c.Name, c.Severity, c.Advice)
		}
	}
}
