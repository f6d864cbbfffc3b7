package awstest_test

import (
	"testing"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
)

// The sample of each control is a record that its pattern matches, and the others'
// patterns decide by themselves: an empty record matches none.
func TestSamples(t *testing.T) {
	for _, c := range catalog.Controls() {
		if matches, err := awstest.Matches(c.Pattern, c.Sample); err != nil || !matches {
			t.Errorf("%s: its pattern matches its sample: %t, %v", c.ID, matches, err)
		}
		if matches, err := awstest.Matches(c.Pattern, `{}`); err != nil || matches {
			t.Errorf("%s: its pattern matches an empty record: %t, %v", c.ID, matches, err)
		}
	}
}

func TestMatches(t *testing.T) {
	const record = `{"name":"relight-x","n":3,"null":null,"list":["a","relight-y"],"in":{"deep":true}}`
	for pattern, want := range map[string]bool{
		`{ $.name = "relight-*" }`:                     true,
		`{ $.name = *-x }`:                             true,
		`{ $.name = "relight" }`:                       false,
		`{ $.name != "relight-*" }`:                    false,
		`{ $.gone != "x" }`:                            false,
		`{ $.gone NOT EXISTS && $.name = "r*" }`:       true,
		`{ $.gone EXISTS || ($.n >= 3) }`:              true,
		`{ $.n < 3 }`:                                  false,
		`{ $.n = 3 }`:                                  true,
		`{ $.list[*] = "relight-*" }`:                  true,
		`{ $.list[0] = "relight-*" }`:                  false,
		`{ $.null IS NULL && $.in.deep IS TRUE }`:      true,
		`{ ($.name = "a") || ($.name = "b") && $.n=3}`: false,
	} {
		if got, err := awstest.Matches(pattern, record); err != nil || got != want {
			t.Errorf("%s: %t, %v; want %t", pattern, got, err, want)
		}
	}
	for _, bad := range []string{"name", "{ $.a = }", "{ ($.a = 1 }", "{ a = 1 }", "{ $.a = 1 } x"} {
		if _, err := awstest.Matches(bad, record); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}
