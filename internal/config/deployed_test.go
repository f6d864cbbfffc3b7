package config_test

import (
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/config"
)

// The parameter of a template changes the configuration by whole keys, strictly, and
// nothing that the template depends on.
func TestWith(t *testing.T) {
	base, err := config.Parse([]byte(`{"prefix": "acme", "subscribers": [{"protocol": "email", "endpoint": "a@example.com"}], "flowLogs": {"exemptVpcs": ["vpc-0123456789abcdef0"], "exemptByTag": true}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, nothing := range []string{"", " \n", "{}"} {
		if c, err := base.With(nothing); err != nil || len(base.Facts().Differences(c.Facts())) != 0 {
			t.Errorf("With(%q) = %v, %v", nothing, base.Facts().Differences(c.Facts()), err)
		}
	}
	c, err := base.With(`{"subscribers": [{"protocol": "email", "endpoint": "b@example.com"}], "flowLogs": {"exemptByTag": true}, "controls": {"root-usage": {"threshold": 5}}}`)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Subscribers) != 1 || c.Subscribers[0].Endpoint != "b@example.com" || len(c.FlowLogs.ExemptVPCs) != 0 || c.FlowLogs.LogGroup != "acme-flow-logs" ||
		c.Prefix != "acme" || *c.Controls["root-usage"].Threshold != 5 {
		t.Errorf("%+v", c)
	}
	for text, problems := range map[string][]string{
		`{"flowLogs": {"exemptByTag": false}}`: {"flowLogs.exemptByTag: the templates"},
		`{"prefix": "other", "regions": ["eu-west-1"], "modes": {"alarms": "off"}, "sweepMinutes": 30}`: {"prefix: the", "regions: the", "modes.alarms: the", "sweepMinutes: the"},
		`{"subscriber": []}`:                             {`did you mean "subscribers"`},
		`{"controls": {"root-usage": {"threshold": 0}}}`: {"threshold"},
		`[]`:            {"not a configuration"},
		`{"controls": `: {"not a configuration"},
	} {
		_, err := base.With(text)
		for _, problem := range problems {
			if err == nil || !strings.Contains(err.Error(), problem) {
				t.Errorf("With(%s) = %v, want %q", text, err, problem)
			}
		}
	}
}
