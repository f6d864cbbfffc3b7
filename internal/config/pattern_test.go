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
		`[w1="A B" && w1!=%x%, (w3=1 || w3=2), ...]`:       "",

		// The rest of the examples of the guide's pages.
		`ERROR ARGUMENTS`:                        "",
		`?ERROR ?ARGUMENTS REQUEST`:              "",
		`" "`:                                    "",
		`{ $.errorCode = 400}`:                   "",
		`{ $.number[0] = 1e+3 }`:                 "",
		`{ $.number[0] != 1e-3 }`:                "",
		`{ $.arrayKey[*] = %val.{2}% }`:          "",
		`{ $.* = %111\.111\.111\.1[0-9]{1,2}% }`: "",
		`{ $.['cluster.name'] = "c" }`:           "",
		`{ $.SomeObject IS NULL }`:               "",
		`{ $.ThisFlag IS TRUE }`:                 "",
		`{ $.SomeOtherObject NOT EXISTS }`:       "",
		`{ ($.user.email = "J.S@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch" }`: "",
		`[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]`:           "",
		`[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]`:        "",
		`[w1!=ERROR && w1!=WARNING, w2]`: "",
		`[logLevel, date, time, method, url=%/service/resource/[0-9]+/part/[0-9]+$%, response_time]`: "",
		`%^starting|^initializing|^shutting down%`:                                                   "",
		`%abcc|ab[^c]$%`:     "",
		`%\[.\]%`:            "",
		`%\d{1,3}\.\d{1,3}%`: "",
		`%\x3A\x28%`:         "",
		`%a{,3}%`:            "",
		`[timestamp=*Z, request_id="*-*", event]`:                "",
		`[date, tag="rh-sched*", x01=throttling, ..., length>5]`: "",
		`{ $.a = * && $.b != 111*111 && $.c >= -1.5e-3 }`:        "",
		`{ $.detail-type = "x" }`:                                "",
		`{ $.a[*].b = 1 && $.c[*] = 1 && $.* = "*" }`:            "",
		`{ $.['a.*.b'][*] = "x" }`:                               "",

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

		`{ $.a EXISTS }`:                                "NOT EXISTS is missing",
		`{ $.a IS NOT NULL }`:                           "NOT EXISTS is missing",
		`{ $.a[*].b[*] = "x" }`:                         "2 wildcards; use at most 1",
		`{ $.*.* = "x" }`:                               "2 wildcards; use at most 1",
		`{ $.a[*]=1 && $.b[*]=1 && $.c[*]=1 && $.*=1 }`: "4 wildcards; use at most 3",
		`{ $.foo* = x }`:                                "is missing before",
		`{ $.a = foo-bar }`:                             "put foo-bar in double quotes",
		`{ $.a = arn:aws:iam }`:                         "put arn:aws:iam in double quotes",
		`{ $.a = 0.0.0.0/0 }`:                           "put 0.0.0.0/0 in double quotes",
		`{ $.a = “b” }`:                                 "in double quotes",
		`{ $.a = größe }`:                               "put größe in double quotes",
		`{ $."sc-status" = 5* }`:                        "$.eventName is missing",
		`{ !($.a = b) }`:                                "$.eventName is missing",
		`[ip, status = 4* && bytes > 1000]`:             "status and bytes are two columns",
		`[a b c]`:                                       "a comma between two columns is missing",
		`[]`:                                            "the name of a column",
		`[a,,b]`:                                        "the name of a column",
		`[a, b,]`:                                       "the name of a column",
		`[a=, b]`:                                       "a value is missing",
		`[a=1=2]`:                                       "a comma between two columns",
		`[=x]`:                                          "the name of a column",
		`["ERROR", b]`:                                  "the name of a column",
		`[a=1 &&, b]`:                                   "the name of a column",
		`[a > foo, b]`:                                  "compares numbers",
		`[a=x-y, b]`:                                    "put x-y in double quotes",
		`[(a=1, b]`:                                     ") is missing",
		`[a=1), b]`:                                     "a comma between two columns",
		`"open`:                                         "closing double quote",
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
