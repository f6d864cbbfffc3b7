package catalog_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// Filter policies that mean the same are the same, whatever the order of their lists,
// and others are not.
func TestSameFilterPolicy(t *testing.T) {
	for _, tt := range []struct {
		got, want string
		same      bool
	}{
		{"", "", true},
		{" ", "", true},
		{`{"severity": ["high", "critical"]}`, `{"severity":["critical","high"]}`, true},
		{`{"severity":["high","critical","high"]}`, `{"severity":["critical","high"]}`, true},
		{`{"region":["eu-west-1"],"severity":[{"anything-but":["info","low"]}]}`, `{"severity":[{"anything-but":["low","info"]}],"region":["eu-west-1"]}`, true},
		{`{"a":[{"numeric":[">",0,"<=",5.0]}]}`, `{"a":[{"numeric":[">",0,"<=",5]}]}`, true},
		{`{"a":[{"numeric":["<=",5,">",0]}]}`, `{"a":[{"numeric":[">",0,"<=",5]}]}`, false},
		{`{"severity":["critical"]}`, `{"severity":["critical","high"]}`, false},
		{`{"severity":["critical","high","low"]}`, `{"severity":["critical","high"]}`, false},
		{`{"severity":["critical","high"]}`, "", false},
		{"", `{"severity":["critical"]}`, false},
		{`{"severity":{"deep":["critical"]}}`, `{"severity":["critical"]}`, false}, // over the body
		{`{"$or":[{"severity":["critical"]}]}`, `{"severity":["critical"]}`, false},
		{`["critical"]`, "", false},
		{`{"severity":["critical"]`, `{"severity":["critical"]}`, false},
	} {
		if same := catalog.SameFilterPolicy(tt.got, canonical(t, tt.want)); same != tt.same {
			t.Errorf("%s is %s: %t, want %t", tt.got, tt.want, same, tt.same)
		}
	}
}

func canonical(t *testing.T, text string) string {
	t.Helper()
	f, err := catalog.ParseFilterPolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	return f.String()
}

func TestFilterPolicyPasses(t *testing.T) {
	message := map[string][]string{"severity": {"high"}, "region": {"eu-west-1", "us-east-1"}}
	for text, want := range map[string]bool{
		``:                                 true,
		`{"severity":["critical","high"]}`: true,
		`{"severity":["critical"]}`:        false,
		`{"severity":["High"]}`:            false,
		`{"severity":[{"equals-ignore-case":"High"}]}`:    true,
		`{"region":["eu-west-1"]}`:                        true,
		`{"region":[{"prefix":"us-"}]}`:                   true,
		`{"region":[{"suffix":"-2"}]}`:                    false,
		`{"region":[{"anything-but":["us-east-1"]}]}`:     false, // one of them is
		`{"severity":[{"anything-but":["low","info"]}]}`:  true,
		`{"severity":[{"anything-but":{"prefix":"hi"}}]}`: false,
		`{"actor":["root"]}`:                              false,
		`{"actor":[{"exists":false}]}`:                    true,
		`{"actor":[{"exists":true}]}`:                     false,
		`{"actor":[{"anything-but":"root"}]}`:             false, // without the attribute nothing else matches
		`{"severity":["high"],"region":["eu-central-1"]}`: false,
		`{"severity":[5]}`:                                false,
	} {
		f, err := catalog.ParseFilterPolicy(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Passes(message); got != want {
			t.Errorf("%s lets the message through: %t, want %t", text, got, want)
		}
		if got := f.Passes(nil); got != (text == "") { // such as an alarm
			t.Errorf("%s lets a message without attributes through: %t", text, got)
		}
	}
}

func TestFilterPolicyCheck(t *testing.T) {
	many := func(n int) string {
		values := make([]string, n)
		for i := range values {
			values[i] = strings.Repeat("x", i+1)
		}
		raw, _ := json.Marshal(values) // texts always marshal
		return string(raw)
	}
	for text, want := range map[string]string{
		`{"sverity":["high"]}`:                            `chooses by "sverity", which no message of relight's has`,
		`{"$or":[{"severity":["high"]}]}`:                 `chooses by "$or"`,
		`{"severity":[]}`:                                 ".severity is an empty list",
		`{"severity":["high",5]}`:                         ".severity[1] is no text",
		`{"severity":[null]}`:                             ".severity[0] is no text",
		`{"severity":[true]}`:                             ".severity[0] is no text",
		`{"severity":[["high"]]}`:                         ".severity[0] is no text",
		`{"severity":[{"prefix":"h","suffix":"h"}]}`:      ".severity[0] has 2 operators",
		`{"severity":[{}]}`:                               ".severity[0] has 0 operators",
		`{"severity":[{"wildcard":"h*"}]}`:                `.severity[0] has the operator "wildcard"`,
		`{"severity":[{"numeric":["=",5]}]}`:              `has the operator "numeric"`,
		`{"severity":[{"exists":"no"}]}`:                  "no true or false behind exists",
		`{"severity":[{"prefix":["h"]}]}`:                 "no text behind prefix",
		`{"severity":[{"suffix":""}]}`:                    "no text behind suffix",
		`{"severity":[{"anything-but":[]}]}`:              "no texts behind anything-but",
		`{"severity":[{"anything-but":["a",5]}]}`:         "no texts behind anything-but",
		`{"severity":[{"anything-but":{"exists":true}}]}`: "no list, prefix or suffix behind anything-but",
		`{"severity":["a"],"kind":["a"],"account":["a"],"region":["a"],"actor":["a"],"code":["a"]}`: "has 6 attributes: use up to 5",
		`{"severity":` + many(13) + `,"region":` + many(12) + `}`:                                   "has 156 combinations of values: use up to 150",
	} {
		f, err := catalog.ParseFilterPolicy(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(f.Check(), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{
		``, `{}`, `{"severity":["critical",{"anything-but":["low"]},{"exists":false}],"region":[{"prefix":"eu-"}]}`,
		`{"actor":[{"anything-but":{"suffix":"/admin"}},{"equals-ignore-case":"root"}],"code":` + many(75) + `}`,
	} {
		f, err := catalog.ParseFilterPolicy(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Check(); len(got) > 0 {
			t.Errorf("%s: %q", text, got)
		}
	}
}
