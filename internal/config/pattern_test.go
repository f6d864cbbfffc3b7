package config

import (
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

func TestCheckPattern(t *testing.T) {
	for pattern, want := range map[string]string{ // "" for a good one
		`{ $.eventName = ConsoleLogin }`:                                          "",
		`{($.a="x\"y")&&(($.b!=*Operation)||($.c NOT EXISTS))}`:                   "",
		`{ $.a.b-c_d[0].e = 1 && $.f[*] >= 1.5e2 && $.g IS NULL && $.h IS TRUE }`: "",
		`{ $.* = "x" }`:                                    "",
		`{ $.['aws:x'] = "y" }`:                            "",
		`{ $.sourceIPAddress != 123.123.* }`:               "",
		`{ $.eventName = %^Delete.*Trail$% && $.a = %b% }`: "",
		`{ $.a = "50% of 100%" }`:                          "",
		`AccessDenied`:                                     "",
		`?ERROR ?"not found" -DEBUG`:                       "",
		`%AUTHORI[SZ]ED%`:                                  "",
		`[ip, user, time, ..., status=4*, bytes > 1000]`:   "",
		`[w1="A B" && w2!=%x%, (w3=1 || w3=2), ...]`:       "",

		`status = 401`:                   "needs braces",
		`$.eventName = ConsoleLogin`:     "needs braces",
		`{ $.a = b`:                      "} is missing at the end",
		`{ ($.a = b }`:                   `) is missing before "}"`,
		`{ $.a = b) }`:                   `} is missing before ") }"`,
		`{ $.a = b } }`:                  "nothing may follow",
		`{ $.a = b } x`:                  "nothing may follow",
		`{ $.a = "b }`:                   "closing double quote",
		`{ $.a = %b }`:                   "closing %",
		`{ $.a = 'b' }`:                  "a value is missing",
		`{ $.a == b }`:                   "a value is missing",
		`{ $.a b }`:                      "is missing before",
		`{ $.a }`:                        "NOT EXISTS is missing",
		`{ a = b }`:                      "$.eventName is missing",
		`{ eventName = "x" }`:            "$.eventName is missing",
		`{ $ = b }`:                      "$.eventName is missing",
		`{ }`:                            "$.eventName is missing",
		`{ $.a = b & $.c = d }`:          "} is missing",
		`{ $.a = b AND $.c = d }`:        "} is missing",
		`{ $.a = b && }`:                 "$.eventName is missing",
		`{ $.a > b }`:                    "compares numbers",
		`{ $.a < "5" }`:                  "compares numbers",
		`{ $.a > %5% }`:                  "compares numbers",
		`{ $.a = %(Delete|Stop)Trail% }`: "has parentheses",
		`{ $.a = %x\(y% }`:               "has parentheses",
		`{ $.a = %something!% }`:         "may have only letters",
		`{ $.a = %é% }`:                  "may have only letters",
		`{ $.a = %% }`:                   "may have only letters",
		`{ $.a = %[x% }`:                 "is not valid",
		`{ $.a = %b% || $.c = %d% || $.e = %f% }`: "3 regular expressions; use at most 2",
		`%a% %b% %c%`:   "3 regular expressions",
		`[a, b`:         "] is missing",
		`[a, (b]`:       ") is missing",
		`[a, b] c`:      "nothing may follow",
		`access-denied`: "double quotes",
		`"open`:         "closing double quote",
	} {
		err := checkPattern(pattern)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("checkPattern(%s) = %v, want %q", pattern, err, want)
		}
	}
	for _, c := range catalog.Controls() {
		if err := checkPattern(c.Pattern); err != nil {
			t.Errorf("%s: %v", c.ID, err)
		}
	}
}

func FuzzCheckPattern(f *testing.F) {
	f.Add(`{ ($.a = %b%) && $.c IS NULL }`)
	f.Add(`[a, b="c", ...]`)
	f.Add(`?x -"y" %z%`)
	f.Fuzz(func(_ *testing.T, pattern string) { _ = checkPattern(pattern) }) // it ends, and does not panic
}
