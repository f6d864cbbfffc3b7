package iampolicy_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/relight-aws/relight/internal/iampolicy"
)

// statement returns the statement with the members in JSON.
func statement(t *testing.T, members string) iampolicy.Statement {
	t.Helper()
	d, err := iampolicy.Parse(`{"Version":"2012-10-17","Statement":{` + members + `}}`)
	if err != nil || len(d.Statements) != 1 {
		t.Fatalf("{%s}: %d statements, %v", members, len(d.Statements), err)
	}
	return d.Statements[0]
}

// Writing a document does not change what other people wrote in it.
func TestRoundTrip(t *testing.T) {
	const theirs = `{"Sid":"s","New":{"b":1,"a":[2]},"Effect":"Allow","Principal":"*","Action":"a:B","Resource":["*"]}`
	tests := map[string]string{
		``: `{"Statement":null,"Version":"2012-10-17"}`,
		`{"Version":"2008-10-17","Id":"x","Statement":[` + theirs + `]}`: `{"Id":"x","Statement":[` + theirs + `],"Version":"2008-10-17"}`,
		`{"Statement": ` + theirs + `}`:                                  `{"Statement":[` + theirs + `],"Version":"2012-10-17"}`,
		`{"Statement":[],"New":{"b":1}}`:                                 `{"New":{"b":1},"Statement":[],"Version":"2012-10-17"}`,
		`{"Statement":[` + theirs + `,` + theirs + `]}`:                  `{"Statement":[` + theirs + `,` + theirs + `],"Version":"2012-10-17"}`,
	}
	for text, want := range tests {
		d, err := iampolicy.Parse(text)
		if err != nil || d.String() != want {
			t.Errorf("%s is written as\n%s, want\n%s; %v", text, d, want, err)
		}
	}
}

func TestNew(t *testing.T) {
	st := iampolicy.NewStatement(map[string]any{
		"Effect": iampolicy.Allow, "Action": []string{"a:B"}, "Resource": "*", "Principal": map[string]string{"Service": "a.amazonaws.com"},
	})
	const want = `{"Statement":[{"Action":["a:B"],"Effect":"Allow","Principal":{"Service":"a.amazonaws.com"},"Resource":"*"}],"Version":"2012-10-17"}`
	if got := iampolicy.New(st).String(); got != want {
		t.Errorf("writes\n%s, want\n%s", got, want)
	}
	if !st.Covers("a:B") || st.AppliesTo("a.amazonaws.com") != iampolicy.Always || st.Effect != iampolicy.Allow {
		t.Errorf("a new statement does not have the given members: %+v", st)
	}
}

// Parse returns nothing of a document that it cannot read.
func TestUnreadable(t *testing.T) {
	for _, text := range []string{
		`{`, `[]`, `null`, `""`, `{}`, `{"Statement":"x"}`, `{"Statement":[1]}`, `{"Version":1,"Statement":[]}`,
		`{"Statement":{"Effect":1}}`,
		`{"Statement":[{"Effect":"Allow"},{"Action":{}}]}`,
		`{"Statement":{"Action":[null]}}`,
		`{"Statement":{"Principal":"x"}}`,
		`{"Statement":{"Condition":{"StringEquals":{"a":{}}}}}`,
	} {
		if d, err := iampolicy.Parse(text); err == nil || d.Statements != nil || d.Version != "" {
			t.Errorf("%s is read as %+v, %v", text, d, err)
		}
	}
}

// A single value becomes a list of one. The value of a condition need not be a
// string.
func TestForms(t *testing.T) {
	st := statement(t, `"Action":"a","Resource":["b","c"],"Principal":{"AWS":["*"]},"NotPrincipal":"*","Condition":{"Bool":{"k":false},"NumericLessThan":{"n":[111122223333,2.5]}}`)
	for name, got := range map[string]iampolicy.Values{
		"a": st.Action, "b c": st.Resource, "*": st.Principal.AWS, "* ": append(st.NotPrincipal.AWS, ""),
		"false": st.Condition["Bool"]["k"], "111122223333 2.5": st.Condition["NumericLessThan"]["n"], "": st.NotAction,
	} {
		if strings.Join(got, " ") != name {
			t.Errorf("%q, want %q", got, name)
		}
	}
}

func TestCovers(t *testing.T) {
	tests := map[string]bool{
		`"Action":"*"`:                  true,
		`"Action":"logs:Put*"`:          true,
		`"Action":["s3:*","LOGS:pUT*"]`: true,
		`"Action":"logs:?utLogEvents"`:  true,
		`"Action":"logs:?PutLogEvents"`: false,
		`"Action":"logs:Put"`:           false,
		`"Action":[]`:                   false,
		`"Effect":"Deny"`:               false,
		`"NotAction":"s3:*"`:            true,
		`"NotAction":["s3:*","logs:*"]`: false,
		`"NotAction":"Logs:putlog*"`:    false,
		`"NotAction":[],"Action":"*"`:   true,
	}
	for members, want := range tests {
		if got := statement(t, members).Covers("logs:PutLogEvents"); got != want {
			t.Errorf("%s covers it: %t, want %t", members, got, want)
		}
	}
}

// On and Overlaps treat four things differently: case, wildcards across the
// parts of an ARN, variables, and statements without resources.
func TestResources(t *testing.T) {
	const resource = "arn:aws:logs:eu-west-1:111122223333:log-group:g"
	const never, maybe, always = iampolicy.Never, iampolicy.Maybe, iampolicy.Always
	tests := map[string]struct {
		on       iampolicy.Verdict
		overlaps bool
	}{
		`"Resource":"*"`:                                                   {always, true},
		`"Resource":["x","` + resource + `"]`:                              {always, true},
		`"Resource":"` + resource + `2"`:                                   {never, false},
		`"Resource":"arn:aws:logs:*"`:                                      {always, true},
		`"Resource":"arn:aws:logs:*:*:*"`:                                  {always, true},
		`"Resource":"arn:aws:*:*:log-group:g"`:                             {always, false},
		`"Resource":"ARN:AWS:` + resource[8:] + `"`:                        {maybe, false},
		`"Resource":"arn:aws:logs:eu-west-1:${aws:PrincipalAccount}:*"`:    {maybe, true},
		`"NotResource":"arn:aws:logs:eu-west-1:${aws:PrincipalAccount}:*"`: {maybe, true},
		`"NotResource":"` + resource + `"`:                                 {never, false},
		`"NotResource":"*"`:                                                {never, false},
		`"NotResource":"x"`:                                                {always, true},
		`"NotResource":"` + strings.ToUpper(resource) + `"`:                {maybe, true},
		`"Resource":["` + strings.ToUpper(resource) + `","*"]`:             {always, true},
		`"Effect":"Deny"`:                                                  {always, false},
	}
	for members, want := range tests {
		st := statement(t, members)
		if on, overlaps := st.On(resource), st.Overlaps(resource); on != want.on || overlaps != want.overlaps {
			t.Errorf("%s is on it: %d, want %d; overlaps: %t, want %t", members, on, want.on, overlaps, want.overlaps)
		}
	}
}

// A statement overlaps resources if it applies to at least one of them. A
// statement with NotResource does not overlap only if NotResource names all of
// them.
func TestOverlapsPattern(t *testing.T) {
	tests := []struct {
		members, resources string
		want               bool
	}{
		{`"Resource":"arn:aws:logs:eu-west-1:*:*"`, "arn:aws:logs:*:111122223333:log-group:g", true},
		{`"Resource":"arn:aws:logs:*:*:log-group:g*"`, "arn:aws:logs:*:1:log-group:*h", true},
		{`"Resource":"arn:aws:logs:*:*:log-group:g*"`, "arn:aws:logs:*:1:log-group:h*", false},
		{`"NotResource":"arn:aws:logs:eu-west-1:1:*"`, "arn:aws:logs:*:1:log-group:g", true},
		{`"NotResource":"arn:aws:logs:*:1:*"`, "arn:aws:logs:*:1:log-group:g", false},
		{`"NotResource":"arn:aws:logs:?:1:*"`, "arn:aws:logs:*:1:log-group:g", false},
		{`"NotResource":"arn:aws:logs:?:1:*"`, "arn:aws:logs:a?:1:log-group:g", true},
	}
	for _, tt := range tests {
		if got := statement(t, tt.members).Overlaps(tt.resources); got != tt.want {
			t.Errorf("%s overlaps %s: %t, want %t", tt.members, tt.resources, got, tt.want)
		}
	}
}

func TestAppliesTo(t *testing.T) {
	const service = "cloudwatch.amazonaws.com"
	tests := map[string]iampolicy.Verdict{
		`"Principal":"*"`:                                      iampolicy.Always,
		`"Principal":{"AWS":"*"}`:                              iampolicy.Always,
		`"Principal":{"Service":"` + service + `"}`:            iampolicy.Always,
		`"Principal":{"Service":["a","` + service + `"]}`:      iampolicy.Always,
		`"Principal":{"Service":"*"}`:                          iampolicy.Maybe,
		`"Principal":{"Service":"CloudWatch.amazonaws.com"}`:   iampolicy.Maybe,
		`"NotPrincipal":{"Service":"*"}`:                       iampolicy.Maybe,
		`"Principal":{"Service":"events.amazonaws.com"}`:       iampolicy.Never,
		`"Principal":{"AWS":"arn:aws:iam::111122223333:root"}`: iampolicy.Never,
		`"Principal":{"Federated":"*"}`:                        iampolicy.Never,
		`"Effect":"Allow"`:                                     iampolicy.Never,
		`"NotPrincipal":{"Service":"` + service + `"}`:         iampolicy.Never,
		`"NotPrincipal":"*"`:                                   iampolicy.Never,
		`"NotPrincipal":{"Service":"events.amazonaws.com"}`:    iampolicy.Always,
	}
	for members, want := range tests {
		if got := statement(t, members).AppliesTo(service); got != want {
			t.Errorf("%s applies: %d, want %d", members, got, want)
		}
	}
}

func TestServes(t *testing.T) {
	const topic = "arn:aws:sns:us-east-1:111122223333:t"
	const all = `"Effect":"Allow","Principal":{"Service":"a"},"Action":["sns:Publish","sns:Subscribe"],"Resource":"` + topic + `","Condition":{"StringEquals":{"k":["1","2"]}}`
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(all) }
	tests := map[string]bool{
		all:                                  true,
		edit(`["sns:Publish",`, `["sns:*",`): true,
		edit(`{"StringEquals":{"k":["1","2"]}}`, `{}`):     true,
		edit(`StringEquals`, `stringequals`, `"k"`, `"K"`): true,
		edit(`{"Service":"a"}`, `"*"`):                     true,
		edit(`"sns:Publish",`, ``):                         false,
		edit(`Allow`, `Deny`):                              false,
		edit(`{"Service":"a"}`, `{"AWS":"a"}`):             false,
		edit(`["1","2"]`, `["2","1"]`):                     false,
		edit(`["1","2"]`, `"1"`):                           false,
		edit(`"k":`, `"l":["1"],"k":`):                     false,
		edit(`StringEquals`, `StringLike`):                 false,
		edit(topic, topic+"2"):                             false,
	}
	want := statement(t, all)
	for members, serves := range tests {
		if got := statement(t, members).Serves(want, topic); got != serves {
			t.Errorf("%s serves: %t, want %t", members, got, serves)
		}
	}
	everybody := statement(t, edit(`{"Service":"a"}`, `"*"`))
	if want.Serves(everybody, topic) || !everybody.Serves(everybody, topic) {
		t.Error("a service is not everybody")
	}
}

// Same compares documents by their meaning.
func TestSame(t *testing.T) {
	const want = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["logs:A","logs:B"],"Resource":["arn:1","arn:2"]},
		{"Effect":"Allow","Action":"logs:C","Resource":"*","Condition":{"StringEquals":{"aws:X":"1"}}}]}`
	tests := map[string]bool{
		want: true,
		`{"Version":"2012-10-17","Statement":[
			{"Sid":"x","Resource":["*"],"Effect":"Allow","Action":["LOGS:c"],"Condition":{"StringEquals":{"AWS:x":["1"]}}},
			{"Effect":"Allow","Action":["logs:B","logs:A","logs:A"],"Resource":["arn:2","arn:1"]}]}`: true,
		strings.Replace(want, "2012-10-17", "2008-10-17", 1):                                             false,
		strings.Replace(want, "logs:B", "logs:D", 1):                                                     false,
		strings.Replace(want, "arn:2", "arn:3", 1):                                                       false,
		strings.Replace(want, `"aws:X":"1"`, `"aws:X":"2"`, 1):                                           false,
		strings.Replace(want, `"Allow"`, `"Deny"`, 1):                                                    false,
		strings.Replace(want, `"Action"`, `"NotAction"`, 1):                                              false,
		strings.Replace(want, `{"Effect"`, `{"Effect":"Deny","Action":"*","Resource":"*"},{"Effect"`, 1): false,
		`{}`:   false,
		``:     false,
		`null`: false,
		`[]`:   false,
	}
	for document, same := range tests {
		if got := iampolicy.Same(want, document); got != same {
			t.Errorf("%s is the same: %t, want %t", document, got, same)
		}
	}
}

// Same also compares unknown members, and texts that are not documents.
func TestSameOfTheUnknown(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{`{"Statement":{"Principal":{"AWS":["b","a"],"Federated":"c"}}}`, `{"Statement":[{"Principal":{"AWS":["a","b"],"Federated":["c"]}}]}`, true},
		{`{"Statement":{"Principal":{"Federated":"c"}}}`, `{"Statement":{"Principal":{"Federated":"d"}}}`, false},
		{`{"Statement":{"New":1}}`, `{"Statement":{}}`, false},
		{`{"Statement":{"Condition":{"Bool":{"k":true}}}}`, `{"Statement":{"Condition":{"Bool":{"K":["true"]}}}}`, true},
		{`{"Statement":{"Condition":{"Bool":{"k":true}}}}`, `{"Statement":{"Condition":{"Bool":{"k":false}}}}`, false},
		{`{"Statement":[]}`, ``, false},
		{`{`, `{`, true},
		{`{`, `{ `, false},
	}
	for _, tt := range tests {
		if got := iampolicy.Same(tt.a, tt.b); got != tt.same {
			t.Errorf("%s and %s are the same: %t, want %t", tt.a, tt.b, got, tt.same)
		}
	}
}

// A pattern matches the same names as the equivalent regular expression.
func TestMatchesAsARegularExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`([ab*?]|\*\*){0,8}`).Draw(t, "pattern")
		name := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "name")
		st := iampolicy.NewStatement(map[string]any{"Action": pattern})
		expr := regexp.MustCompile("^" + strings.NewReplacer("*", ".*", "?", ".").Replace(pattern) + "$")
		if got, want := st.Covers(name), expr.MatchString(name); got != want {
			t.Errorf("%q matches %q: %t, want %t", pattern, name, got, want)
		}
	})
}

// slow is longer than any pattern may take, on a busy machine too.
const slow = 5 * time.Second

// A pattern that somebody made to keep relight busy takes no time to speak of.
func TestCraftedPatterns(t *testing.T) {
	name := "arn:aws:logs:us-east-1:111122223333:log-group:" + strings.Repeat("a", 50)
	for what, pattern := range map[string]string{
		"only stars": strings.Repeat("*", 10000) + "z", "stars and letters": strings.Repeat("*a", 10000) + "z", "stars and marks": strings.Repeat("*?", 10000),
		"marks": strings.Repeat("?", 10000) + "z", "variables": strings.Repeat("${a}", 5000) + "z", "open variables": strings.Repeat("${", 10000),
		"colons": strings.Repeat("*:", 10000),
	} {
		for member, document := range map[string]map[string]any{
			"action": {"Action": pattern, "Resource": "*"}, "not action": {"NotAction": pattern, "Resource": "*"},
			"resource": {"Action": "*", "Resource": pattern}, "not resource": {"Action": "*", "NotResource": pattern},
			"service":   {"Action": "*", "Principal": map[string]any{"Service": pattern}},
			"principal": {"Action": "*", "Principal": map[string]any{"AWS": pattern}},
			"like":      {"Action": "*", "Condition": map[string]any{"StringLike": map[string]any{"aws:SourceArn": pattern}}},
			"unlike":    {"Action": "*", "Condition": map[string]any{"ForAllValues:ArnNotLikeIfExists": map[string]any{"aws:SourceArn": pattern}}},
		} {
			document["Effect"] = "Deny"
			st, began := iampolicy.NewStatement(document), time.Now()
			st.Covers(name)
			st.On(name)
			st.Overlaps(name)
			st.Overlaps(name + ":*")
			st.AppliesTo(name)
			st.AppliesToRole("arn:aws:iam::111122223333:role/" + name)
			st.Holds(iampolicy.Call{"aws:sourcearn": iampolicy.Has(name)})
			iampolicy.Same(st.String(), st.String())
			if took := time.Since(began); took > slow {
				t.Errorf("%s as %s took %s", what, member, took)
			}
		}
	}
}

func BenchmarkCovers(b *testing.B) {
	for what, pattern := range map[string]string{"usual": "logs:Put*", "10000 stars": strings.Repeat("*", 10000) + "z", "10000 stars apart": strings.Repeat("*u", 10000) + "z"} {
		b.Run(what, func(b *testing.B) {
			st := iampolicy.NewStatement(map[string]any{"Action": pattern})
			for b.Loop() {
				st.Covers("logs:PutLogEvents")
			}
		})
	}
}

// Two patterns overlap, in either order, if they match a common name.
func TestOverlapsIsSymmetric(t *testing.T) {
	var names []string // every name of up to 4 letters
	for from, next := 0, []string{""}; len(next[from:]) > 0 && len(next[from]) <= 4; from++ {
		names = append(names, next[from])
		next = append(next, next[from]+"a", next[from]+"b")
	}
	matches := func(pattern, name string) bool {
		return iampolicy.NewStatement(map[string]any{"Resource": pattern}).Overlaps(name)
	}
	rapid.Check(t, func(t *rapid.T) {
		patterns := rapid.StringMatching(`[ab?]?\*?[ab?]?[ab?]?`)
		a, b := patterns.Draw(t, "a"), patterns.Draw(t, "b")
		common := false
		for _, name := range names {
			common = common || matches(a, name) && matches(b, name)
		}
		if ab, ba := matches(a, b), matches(b, a); ab != common || ba != common {
			t.Errorf("%q and %q overlap: %t and %t, want %t", a, b, ab, ba, common)
		}
	})
}

// Parse reads any text or returns an error. Writing a document that was read
// does not change its meaning.
func FuzzParse(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Id":"x","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["a","b"],"Resource":"*","Condition":{"Bool":{"k":true}}}]}`)
	f.Add(`{"Statement":{"Effect":"Deny","NotPrincipal":"*","NotAction":"a","NotResource":["b"]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := iampolicy.Parse(text)
		if err != nil {
			return
		}
		again, err := iampolicy.Parse(d.String())
		if err != nil || !json.Valid([]byte(d.String())) || len(again.Statements) != len(d.Statements) {
			t.Fatalf("%q is written as %s: %v", text, d, err)
		}
		if d.Version != "" && !iampolicy.Same(text, d.String()) {
			t.Errorf("%q and %s are not the same", text, d)
		}
		for _, st := range d.Statements {
			st.Covers("a")
			st.On("a")
			st.Overlaps("a*")
			st.AppliesTo("a")
		}
	})
}
