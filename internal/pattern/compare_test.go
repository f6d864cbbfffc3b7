package pattern_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/pattern"
)

func parse(t testing.TB, text string) *pattern.Pattern {
	t.Helper()
	p, err := pattern.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

// TestImplies has pairs with what both directions answer: "=" both are Yes, ">" the
// first implies the second only, "<" the other way round, "x" neither. Below the
// control IDs stand texts for the same control as Terraform modules, scanners and
// benchmark versions write them.
func TestImplies(t *testing.T) {
	controls := map[string]string{}
	for _, c := range catalog.Controls() {
		controls[c.ID] = c.Pattern
	}
	rows := []struct{ a, how, b string }{
		// One text, written differently.
		{`{ $.a = b }`, "=", `{$.a="b"}`},
		{`{ $.a = b }`, "=", `{ (($.a   =   "b")) }`},
		{`{ $.a = b && $.c = d }`, "=", `{ $.c = d && $.a = b }`},
		{`{ $.a = b || $.c = d }`, "=", `{ $.c = d || ($.a = b) || $.a = b }`},
		{`{ $.a = b && ($.c = d && $.e = f) }`, "=", `{ ($.a = b && $.c = d) && $.e = f }`},
		{`{ $.a = b || $.c = d && $.e = f }`, "=", `{ $.a = b || ($.c = d && $.e = f) }`},
		{`{ $.a = b || $.c = d && $.e = f }`, "<", `{ ($.a = b || $.c = d) && $.e = f }`},
		{`{ $.a = b && ($.c = d || $.c = e) }`, "=", `{ ($.a = b && $.c = d) || ($.a = b && $.c = e) }`},
		{`{ $.a NOT EXISTS }`, "=", `{ $.a not   exists }`},
		{`{ $.a IS TRUE }`, "x", `{ $.a IS FALSE }`},
		{`{ $.['a'].b = c }`, "=", `{ $.a["b"] = "c" }`},
		{`{ $.a = 1 }`, "=", `{ $.a = 1.0e0 }`}, // the spelling of a text with a number differs, see below
		{`{ $.a = "x y" }`, "x", `{ $.a = "xy" }`},

		// More and fewer alternatives and conditions.
		{`{ $.a = b }`, ">", `{ $.a = b || $.a = c }`},
		{`{ $.a = b && $.c = d }`, ">", `{ $.a = b }`},
		{`{ $.a = b }`, "x", `{ $.a = c }`},
		{`{ $.a = b }`, "x", `{ $.c = b }`},
		{`{ $.a = b }`, ">", `{ $.a != c }`},
		{`{ $.a != b }`, "<", `{ $.a = c && $.d = e }`},
		{`{ $.a != b && $.a != c }`, ">", `{ $.a != b }`},
		{`{ $.a = b && $.a = c }`, ">", `{ $.x = y }`}, // nothing matches the first
		{`{ $.a = b || $.a != b }`, "<", `{ $.a = c }`},
		{`{ $.a = b || $.a != b }`, "=", `{ $.a = "*" }`},
		{`{ $.a = b || $.a != b }`, "x", `{ $.a NOT EXISTS }`},
		{`{ $.a = "*" || $.a NOT EXISTS }`, "<", `{ $.a != b }`},

		// Wildcards.
		{`{ $.a = "AccessDenied" }`, ">", `{ $.a = "AccessDenied*" }`},
		{`{ $.a = "AccessDeniedException" }`, ">", `{ $.a = "AccessDenied*" }`},
		{`{ $.a = "Access*" }`, "<", `{ $.a = "AccessDenied*" }`},
		{`{ $.a = "*Operation" }`, "<", `{ $.a = "*UnauthorizedOperation" }`},
		{`{ $.a = "*x*" }`, "<", `{ $.a = "x*" || $.a = "*x" }`},
		{`{ $.a = "a*" && $.a = "b*" }`, ">", `{ $.c = d }`},
		{`{ $.a = "a*" && $.a != "ab*" }`, ">", `{ $.a != "abc" }`},
		{`{ $.a = "a*b" }`, "x", `{ $.a = "a*" && $.a = "*b" && $.a != "a*b" }`},
		{`{ $.a = "*" }`, "=", `{ $.a = "a*" || $.a != "ab*" }`},
		{`{ $.x = y }`, "x", `{ $.a NOT EXISTS || $.a = "*" || $.a IS NULL || $.a IS TRUE || $.a IS FALSE }`}, // a list
		{`{ $.l[*] = x && $.l[*] = y }`, ">", `{ $.l[*] = x }`},
		{`{ $.l[*] = x && $.l[*] = y }`, "x", `{ $.m = 1 }`}, // two members: not a contradiction

		// Numbers.
		{`{ $.a > 5 }`, ">", `{ $.a >= 5 }`},
		{`{ $.a > 5 }`, ">", `{ $.a > 4.5 }`},
		{`{ $.a > 5 && $.a < 6 }`, ">", `{ $.a != 7 }`},
		{`{ $.a >= 5 && $.a <= 5 }`, ">", `{ $.a = 5 }`},
		{`{ $.a > 5 }`, "x", `{ $.a < 5 }`},
		{`{ $.a < 5 || $.a >= 5 }`, ">", `{ $.a != x }`},

		// Regular expressions are compared by their text.
		{`{ $.a = %b+% }`, "=", `{ ($.a = %b+%) }`},
		{`{ $.a = %b+% }`, "x", `{ $.a = %bb*% }`},
		{`{ $.a = %b+% && $.c = d }`, ">", `{ $.a = %b+% }`},

		// The other forms.
		{`[a, b = 4*, c]`, "=", `[x, y = "4*", z]`},
		{`[a, b = 404, c]`, "x", `[a, b = 4*, c]`}, // +404 is 404, and does not begin with 4
		{`[a, b = "404", c]`, ">", `[a, b = 4*, c]`},
		{`[a, b, c]`, "<", `[a, b = 1, c]`},
		{`[a, b = 1 || b = 2]`, "<", `[a = x, b = 2]`},
		{`[..., s > 5]`, ">", `[..., s >= 5]`},
		{`ERROR Exception`, "=", `"Exception" "ERROR"`},
		{`ERROR Exception`, ">", `ERROR`},
		{`ERROR -DEBUG`, ">", `ERROR`},
		{`ERROR`, ">", `?ERROR ?WARN`},
		{`?ERROR`, ">", `?WARN ?ERROR`},
		{`ERRORS`, ">", `ERROR`},
		{`ERROR -DE`, ">", `-DEBUG`},
		{`{ $.a = b }`, ">", ``},

		// The same control by other hands.
		{"root-usage", "=", `{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType !="AwsServiceEvent"}`},
		{"root-usage", "=", `{ ($.userIdentity.type = "Root") && ($.userIdentity.invokedBy NOT EXISTS) && ($.eventType != "AwsServiceEvent") }`},
		{"root-usage", "=", `{($.eventType != AwsServiceEvent) && $.userIdentity.invokedBy NOT EXISTS && $.userIdentity.type = Root}`},
		{"root-usage", ">", `{ $.userIdentity.type = "Root" }`},
		{"root-usage", "<", `{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" && $.eventName != "ListBuckets" }`},
		{"unauthorized-api-calls-securityhub", "=", `{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}`},
		{"unauthorized-api-calls-securityhub", "=", `{ ($.errorCode = "AccessDenied*") || ($.errorCode = "*UnauthorizedOperation") }`},
		{"unauthorized-api-calls-securityhub", "<", "unauthorized-api-calls"},
		{"unauthorized-api-calls-securityhub", "<", `{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied") }`},
		{"unauthorized-api-calls", ">", `{ ($.errorCode ="*UnauthorizedOperation") || ($.errorCode ="AccessDenied*") && ($.sourceIPAddress!="delivery.logs.amazonaws.com") && ($.eventName!="HeadBucket") }`},
		{"console-signin-without-mfa", "=", `{($.eventName=ConsoleLogin) && ($.additionalEventData.MFAUsed != Yes)}`},
		{"console-signin-without-mfa", "<", `{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }`},
		{"console-signin-failures", "=", `{($.eventName=ConsoleLogin) && ($.errorMessage="Failed authentication")}`},
		{"console-signin-failures", "x", `{($.eventName=ConsoleLogin) && ($.errorMessage="Failedauthentication")}`},
		{"cmk-disabled-or-deleted", "=", `{($.eventSource = "kms.amazonaws.com") && (($.eventName=ScheduleKeyDeletion)||($.eventName=DisableKey))}`},
		{"cmk-disabled-or-deleted", "=", `{ ($.eventSource = kms.amazonaws.com) && ($.eventName = DisableKey) || ($.eventSource = kms.amazonaws.com) && ($.eventName = ScheduleKeyDeletion) }`},
		{"cmk-disabled-or-deleted", ">", `{($.eventSource = kms.amazonaws.com) && ($.eventName=DisableKey) || ($.eventName=ScheduleKeyDeletion) }`},
		{"security-group-changes", "<", "security-group-changes-securityhub"},
		{"security-group-changes-securityhub", "<", `{ ($.eventName = AuthorizeSecurityGroupIngress) || ($.eventName = AuthorizeSecurityGroupEgress) || ($.eventName = RevokeSecurityGroupIngress) || ($.eventName = RevokeSecurityGroupEgress) || ($.eventName = CreateSecurityGroup) }`},
		{"route-table-changes", ">", "route-table-changes-securityhub"},
		{"route-table-changes", "<", `{ ($.eventSource = ec2.amazonaws.com) && ($.eventName = CreateRoute) }`},
		{"organizations-changes", "<", `{ ($.eventSource = organizations.amazonaws.com) && (($.eventName = "AcceptHandshake") || ($.eventName = "AttachPolicy")) }`},
		{"cloudtrail-changes", "<", `{ ($.eventName = CreateTrail) || ($.eventName = UpdateTrail) || ($.eventName = DeleteTrail) || ($.eventName = StartLogging) }`},
		{"cloudtrail-changes", ">", `{ ($.eventName = CreateTrail) || ($.eventName = UpdateTrail) || ($.eventName = DeleteTrail) || ($.eventName = StartLogging) || ($.eventName = StopLogging) || ($.eventName = PutEventSelectors) }`},
		{"tampering", "x", "root-usage"},
		{"tampering", ">", `{ $.sourceIPAddress != "cloudformation.amazonaws.com" }`},
	}
	if len(rows) < 40 {
		t.Errorf("%d pairs, want 40", len(rows))
	}
	text := func(s string) string {
		if p, is := controls[s]; is {
			return p
		}
		return s
	}
	for _, row := range rows {
		a, b := parse(t, text(row.a)), parse(t, text(row.b))
		began := time.Now()
		there, back := pattern.Implies(a, b) == pattern.Yes, pattern.Implies(b, a) == pattern.Yes
		got := map[[2]bool]string{{true, true}: "=", {true, false}: ">", {false, true}: "<", {false, false}: "x"}[[2]bool{there, back}]
		if got != row.how {
			t.Errorf("%s %s %s, want %s", row.a, got, row.b, row.how)
		}
		if equal := pattern.Equal(a, b) == pattern.Yes; equal != (row.how == "=") {
			t.Errorf("%s and %s are equal: %t", row.a, row.b, equal)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s and %s took %v", row.a, row.b, took)
		}
	}
	for id, p := range controls {
		for other, q := range controls {
			if (pattern.Equal(parse(t, p), parse(t, q)) == pattern.Yes) != (id == other) {
				t.Errorf("%s and %s: equal is wrong", id, other)
			}
		}
		if pattern.Equal(parse(t, p), parse(t, parse(t, p).String())) != pattern.Yes {
			t.Errorf("%s does not equal its canonical form", id)
		}
	}
}

// TestNotComparable: what cannot be decided is Unknown, soon, and counts as different.
func TestNotComparable(t *testing.T) {
	var wide []string
	for range 60 {
		wide = append(wide, `$.a = "*`+string(rune('a'+len(wide)%26))+strings.Repeat("z", len(wide)/26)+`*"`)
	}
	for _, row := range [][2]string{
		{`{ $.a = b }`, `ERROR`},
		{`[a, b]`, `[a, ...]`},
		{`?ERROR WARN`, `WARN`},
		{"{ " + strings.Join(wide, " || ") + " }", `{ $.a = "*" && $.b = c }`},
	} {
		began := time.Now()
		if got := pattern.Implies(parse(t, row[0]), parse(t, row[1])); got != pattern.Unknown {
			t.Errorf("%s implies %s: %v, want unknown", row[0], row[1], got)
		}
		if pattern.Same(row[0], row[1]) {
			t.Errorf("%s is the same as %s", row[0], row[1])
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
	}
	if !pattern.Same("no (pattern", "no (pattern") || pattern.Same("no (pattern", "no  (pattern") {
		t.Error("a text that is no pattern equals itself, and nothing else")
	}
}

// TestImpliesAgreesWithMatches: whenever a implies b, no log event matches a and
// not b. Patterns and log events are random, of few fields and values, so that they
// meet.
func TestImpliesAgreesWithMatches(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var expression func(depth int) string
	expression = func(depth int) string {
		if depth == 0 || r.IntN(3) == 0 {
			field := pick("$.a", "$.b", "$.l[*]")
			switch r.IntN(6) {
			case 0:
				return field + pick(" NOT EXISTS", " IS NULL", " IS TRUE")
			case 1:
				return field + pick(" < ", " > ", " >= ", " = ", " != ") + pick("1", "2")
			}
			return field + pick(" = ", " != ") + pick(`"x"`, `"xy"`, `"x*"`, `"*y"`, `"*"`, `"1"`, `"*x*"`)
		}
		return "(" + expression(depth-1) + pick(" && ", " || ") + expression(depth-1) + ")"
	}
	value := func() string {
		return pick(`"x"`, `"xy"`, `"yx"`, `"y"`, `"1"`, `""`, "0", "1", "1.5", "2", "3", "null", "true", "false", `{}`)
	}
	var log []string
	for range 400 {
		var fields []string
		if r.IntN(5) > 0 {
			fields = append(fields, `"a":`+value())
		}
		if r.IntN(5) > 0 {
			fields = append(fields, `"b":`+value())
		}
		if r.IntN(3) > 0 {
			var list []string
			for range r.IntN(4) {
				list = append(list, value())
			}
			fields = append(fields, `"l":[`+strings.Join(list, ",")+`]`)
		}
		log = append(log, "{"+strings.Join(fields, ",")+"}")
	}
	implied, refuted := 0, 0
	for range 1500 {
		a, err := pattern.Parse("{ " + expression(2) + " }")
		b, err2 := pattern.Parse("{ " + expression(2) + " }")
		if err != nil || err2 != nil { // too many wildcards
			continue
		}
		verdict, counter := pattern.Implies(a, b), ""
		for _, event := range log {
			if a.Matches(event) && !b.Matches(event) {
				counter = event
				break
			}
		}
		switch {
		case verdict == pattern.Yes && counter != "":
			t.Errorf("%v implies %v, but %s", a, b, counter)
		case verdict == pattern.Yes:
			implied++
		case verdict == pattern.No && counter != "":
			refuted++
		case verdict == pattern.Unknown:
			t.Errorf("%v and %v: unknown", a, b)
		}
	}
	if implied < 50 || refuted < 500 {
		t.Errorf("only %d implied, %d refuted by a log event", implied, refuted)
	}
}

func BenchmarkSame(b *testing.B) {
	controls := catalog.Controls()
	for b.Loop() {
		for _, c := range controls {
			if !pattern.Same(c.Pattern, " "+c.Pattern) {
				b.Fatal(c.ID)
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	controls := catalog.Controls()
	for b.Loop() {
		for _, c := range controls {
			if _, err := pattern.Parse(c.Pattern); err != nil {
				b.Fatal(c.ID)
			}
		}
	}
}
